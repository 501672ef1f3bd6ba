/** `groups repair-lag`, `accept-loss`: what would be changed, and with `--execute` the change. */
import type { Command } from 'commander'
import type { LagRepair, LossAcceptance } from 'millrace/operate'
import { addPlace, at, type AnyGroup, type Place, type PlaceFlags } from '../place/place.ts'
import type { Service, Words } from '../service.ts'
import { countOf, printable, written } from '../terminal/words.ts'
import { print } from './output.ts'

interface Flags extends PlaceFlags {
  readonly json?: boolean
  readonly execute: boolean
}

/** Adds both to the command that shows the groups. */
export function addRepairs(groups: Command, service: Service): void {
  const add = (name: string, description: string, work: Repair): void => {
    addPlace(
      groups
        .command(name)
        .description(description)
        .option('--execute', 'do it, instead of saying what would be done', false)
        .option('--json', 'print the result as JSON'),
      service,
    ).action((_flags: unknown, command: Command) =>
      repair(service, command.optsWithGlobals<Flags>(), work),
    )
  }
  add(
    'repair-lag',
    'Makes the lag that the server tells true again, after others trimmed or deleted entries.',
    async (group, execute) => {
      const result = await group.repairLag({ execute })
      return { result, ...lagText(result) }
    },
  )
  add(
    'accept-loss',
    'Takes entries that are in no count, and letters that were deleted, into the account, so that it balances.',
    async (group, execute, words) => {
      const result = await group.acceptLoss({ execute })
      return { result, ...lossText(result, execute, words) }
    },
  )
}

type Repair = (group: AnyGroup, execute: boolean, words: Words) => Promise<Outcome>

interface Outcome {
  readonly result: object
  readonly line: string
  /** It would change something if it were told to. */
  readonly isOpen: boolean
}

async function repair(service: Service, flags: Flags, work: Repair): Promise<void> {
  const { json, execute } = flags
  const show = async ({ group, words }: Place): Promise<void> => {
    const { result, line, isOpen } = await work(group, execute, words)
    const rest = isOpen ? '\nNothing was changed. To do it, add --execute.' : ''
    const text = `Group ${printable(group.name)} of stream ${printable(group.stream.key)}: ${line}${rest}`
    print(json, result, text)
  }
  await at(service, flags, show, { changes: execute })
}

function lagText({ kind, undelivered, lagBefore, lagAfter }: LagRepair): Omit<Outcome, 'result'> {
  const before = lagBefore === null ? 'cannot tell the lag' : `said a lag of ${written(lagBefore)}`
  const really = `${countOf(undelivered, 'entry is', 'entries are')} undelivered`
  switch (kind) {
    case 'same':
      return { line: `nothing is to be repaired: ${really}, as the server says.`, isOpen: false }
    case 'differs':
      return {
        line: `the server ${before.replace('said', 'says')}, but ${really}. Its count of read entries would be set so that it says ${written(undelivered)}; the group does not move.`,
        isOpen: true,
      }
    case 'repaired': {
      const now =
        lagAfter === null
          ? 'it can tell once the group has passed the entries that were deleted'
          : `now it says ${written(lagAfter)}`
      return { line: `the server ${before}, and ${really}: ${now}.`, isOpen: false }
    }
  }
}

function lossText(
  { entries, letters, isAccepted }: LossAcceptance,
  execute: boolean,
  { entry: [one, many] }: Words,
): Omit<Outcome, 'result'> {
  if (entries === 0 && letters === 0) {
    return { line: 'nothing is to be accepted: its counts add up.', isOpen: false }
  }
  const may = (count: number): string => (isAccepted ? (count === 1 ? 'was' : 'were') : 'would be')
  const parts = [
    ...(entries > 0
      ? [
          `${countOf(entries, `${one} that is`, `${many} that are`)} in no count ${may(entries)} taken as skipped`,
        ]
      : []),
    ...(entries < 0
      ? [
          `${countOf(-entries, `${one} that is`, `${many} that are`)} counted twice ${may(-entries)} taken as appended`,
        ]
      : []),
    ...(letters > 0
      ? [
          `${countOf(letters, 'dead letter that was', 'dead letters that were')} deleted ${may(letters)} taken as purged`,
        ]
      : []),
    ...(letters < 0
      ? [`${countOf(-letters, 'dead letter')} that others wrote ${may(-letters)} taken as ours`]
      : []),
  ]
  return { line: `${parts.join('; ')}.`, isOpen: !execute }
}
