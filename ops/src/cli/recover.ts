import { Command } from 'commander'
import { MillraceError } from 'millrace'
import type { RecoveryPlan } from 'millrace/operate'
import { CommandError } from '../command/errors.ts'
import { addPlace, at, type Place, type PlaceFlags } from '../place/place.ts'
import {
  howToExecute,
  isNothingToDo,
  outcomeText,
  planText,
  type Told,
} from '../recovery/report.ts'
import type { Service } from '../service.ts'

interface Flags extends PlaceFlags {
  readonly execute: boolean
  readonly json: boolean
}

/** `recover`: says what the recovery of a lost group would do; with `--execute` does it. */
export function command(service: Service): Command {
  return addPlace(
    new Command()
      .description(
        'Compares the group with its ledger, and recovers it after it was lost or moved.',
      )
      .option('--execute', 'do it; without this it only says what it would do', false)
      .option('--json', 'print it as JSON', false),
    service,
  ).action((flags: Flags) =>
    at(service, flags, (place) => run(place, flags), { changes: flags.execute }),
  )
}

async function run(place: Place, { execute, json }: Flags): Promise<void> {
  const { group, words, typed } = place
  const show = (text: string): void => void process.stdout.write(`${text}\n`)
  const names = { stream: group.stream.key, group: group.name }
  const told: Told = { ...names, typed, entry: words.entry, worker: words.worker }
  const plan = await group.recovery()
  if (plan.condition === 'no-ledger') await checkExists(place, plan)
  const isDoing = execute && !isNothingToDo(plan)
  if (!json) show(planText(told, plan))
  if (!isDoing) {
    if (json) show(JSON.stringify({ ...names, executed: false, ...plan }))
    else if (!isNothingToDo(plan)) show(howToExecute(told))
    return
  }
  const outcome = await group.recover()
  if (json) show(JSON.stringify({ ...names, executed: true, ...plan, ...outcome }))
  else show(outcomeText(told, outcome))
}

/** @throws {CommandError} when neither group nor ledger is there. */
async function checkExists({ group, words, typed }: Place, plan: RecoveryPlan): Promise<void> {
  try {
    await group.describe()
  } catch (error) {
    const isMissing =
      error instanceof MillraceError && (error.code === 'NO_GROUP' || error.code === 'NO_STREAM')
    if (!isMissing || plan.condition !== 'no-ledger') throw error
    throw new CommandError(
      `Cannot recover group "${group.name}" of stream "${group.stream.key}": there is neither the group nor a ledger of it, ` +
        `so nothing is known of what was processed. If ${words.results} are gone, too (FLUSHALL), or it is new: ` +
        `begin anew with "${typed('groups create')}". If they are still there, restore a backup of all keys`,
      { cause: error },
    )
  }
}
