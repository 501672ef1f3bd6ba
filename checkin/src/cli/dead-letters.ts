import { Argument, Command, Option } from 'commander'
import {
  deadLetterReasons,
  MillraceError,
  type DeadLetterSelection,
  type Group,
  type Millrace,
} from 'millrace'
import { untilInterrupted } from '../stop.ts'
import { keptInWords, type Kept } from '../dead-letters/kept.ts'
import {
  age,
  checkedId,
  filterInWords,
  isId,
  selectionOf,
  type SelectionFlags,
} from '../dead-letters/selection.ts'
import { asTable, asText, counted } from '../dead-letters/table.ts'
import type { CheckinModel } from '../domain/checkins.ts'
import { CommandError, PartlyDoneError } from '../errors.ts'
import { isColour, sentence } from '../terminal/words.ts'
import type { Wiring } from '../wiring.ts'
import { consumerName, integerWithin } from './arguments.ts'
import { sayPlace } from './place.ts'
import { withRemedy } from './remedies.ts'

interface Flags {
  readonly group: string
  readonly json?: boolean
}

interface ListFlags extends Flags {
  readonly reason?: string
  readonly limit: number
  readonly from?: string
  readonly oldest?: boolean
}

interface RedriveFlags extends Flags, SelectionFlags {
  readonly rate?: number
}

interface PurgeFlags extends Flags, SelectionFlags {
  readonly yes?: boolean
}

type CheckinGroup = Group<CheckinModel['checkins']['fields']>
interface Place {
  readonly millrace: Millrace
  readonly group: CheckinGroup
}

const reasonOption = (says: string): Option =>
  new Option('--reason <reason>', says).choices(deadLetterReasons)

const manyIds = new Argument('[ids...]', 'ids of dead letters, or of their entries')

/** `npm run dead-letters -- list | show | redrive | purge`: what could not be processed. */
export function command(wiring: Wiring): Command {
  // Subcommands take the override over when they are made, and only then.
  const letters = new Command().description('What could not be processed.').exitOverride()
  const add = (name: string, description: string, isDefault = false): Command =>
    letters
      .command(name, { isDefault })
      .description(description)
      .addOption(
        new Option('--group <name>', 'the group, or "checkinprocessor" for the single processor')
          .argParser(consumerName)
          .default(wiring.config.group),
      )
      .option('--json', 'print it as JSON')
  add('list', 'Shows dead letters, the newest first; the default.', true)
    .addOption(reasonOption('only those with this reason'))
    .addOption(
      new Option('--limit <letters>', 'show so many')
        .argParser(integerWithin(1, 10_000))
        .default(20),
    )
    .option('--from <id>', 'go on after this letter')
    .option('--oldest', 'the oldest first')
    .action((flags: ListFlags) => list(wiring, flags))
  add('show', 'Shows all of a dead letter, long values cut.')
    .addArgument(new Argument('<id>', 'id of the dead letter, or of its entry'))
    .action((id: string, flags: Flags) => show(wiring, id, flags))
  add(
    'redrive',
    'Makes entries pending again under their ids, so that their group tries them anew.',
  )
    .addArgument(manyIds)
    .option('--all', 'all that are there now')
    .addOption(reasonOption('all with this reason'))
    .addOption(
      new Option('--rate <letters>', 'so many a second at most').argParser(
        integerWithin(1, 1_000_000),
      ),
    )
    .action((ids: string[], flags: RedriveFlags) => redrive(wiring, ids, flags))
  add('purge', 'Deletes dead letters for good; without --yes it only says how many.')
    .addArgument(manyIds)
    .option('--all', 'all that are there now')
    .addOption(reasonOption('all with this reason'))
    .addOption(new Option('--older-than <age>', 'all so old, like 12h or 7d').argParser(age))
    .option('--yes', 'do it')
    .action((ids: string[], flags: PurgeFlags) => purge(wiring, ids, flags))
  return letters
}

async function list(wiring: Wiring, flags: ListFlags): Promise<void> {
  const { group: name, reason, limit, from, oldest, json } = flags
  if (from !== undefined) checkedId(from)
  await at(wiring, flags, async ({ millrace, group }) => {
    const { key } = group.deadLetters
    const page = await group.deadLetters.list({
      count: limit,
      order: oldest === true ? 'oldest' : 'newest',
      ...(reason !== undefined && { reason }),
      ...(from !== undefined && { from }),
    })
    const total = Number(await millrace.send('XLEN', key))
    // No letters may also mean a wrong name. The single processor has no group.
    if (total === 0 && name !== wiring.model.readerName) await group.describe()
    const listing = { stream: group.stream.key, group: name, deadLetterStream: key, total, ...page }
    print(json === true ? JSON.stringify(listing) : asTable(listing, { isColour: isColour() }))
  })
}

async function show(wiring: Wiring, id: string, flags: Flags): Promise<void> {
  checkedId(id)
  await at(wiring, flags, async ({ millrace, group }) => {
    const found = await group.deadLetters.find(id)
    if (found.length === 0) {
      const kept = keptInWords([{ id, outcome: 'gone' }])
      throw new CommandError(`Cannot show a dead letter of group "${flags.group}":\n${kept}`)
    }
    const looked = found.map(async (letter) => {
      const { entryId } = letter
      if (!isId(entryId)) return { ...letter, isInStream: false }
      const entry = await millrace.send('XRANGE', group.stream.key, entryId, entryId)
      return { ...letter, isInStream: Array.isArray(entry) && entry.length > 0 }
    })
    const letters = await Promise.all(looked)
    print(flags.json === true ? JSON.stringify(letters) : letters.map(asText).join('\n\n'))
  })
}

async function redrive(wiring: Wiring, ids: string[], flags: RedriveFlags): Promise<void> {
  const selection = selectionOf('redrive', ids, flags)
  await at(wiring, flags, async ({ millrace, group }) => {
    sayPlace(millrace, wiring, flags.group)
    await group.describe()
    const kept: Kept[] = []
    let redriven = 0
    const onOutcome = (id: string, outcome: Kept['outcome'] | 'redriven'): void => {
      if (outcome === 'redriven') redriven += 1
      // Somebody else was quicker: all are redriven, which is what was asked for.
      else if (outcome !== 'gone' || 'ids' in selection) kept.push({ id, outcome })
    }
    const rate = flags.rate === undefined ? {} : { ratePerSecond: flags.rate }
    const isStopped = await untilInterrupted((signal) =>
      group.deadLetters
        .redrive(selection, { ...rate, signal, onOutcome })
        .catch((error: unknown) => {
          throw interrupted(error, redriven)
        }),
    )
    const text =
      `Redrove ${counted(redriven)}${placeOf(flags, selection)}` +
      (isStopped ? ', then stopped; the rest is as it was.' : '.') +
      (redriven > 0 ? ' A running processor takes the entries at its next sweep.' : '')
    print(flags.json === true ? JSON.stringify({ group: flags.group, redriven, kept }) : text)
    throwIfKept('redrive', kept)
  })
}

async function purge(wiring: Wiring, ids: string[], flags: PurgeFlags): Promise<void> {
  const selection = selectionOf('purge', ids, flags)
  await at(wiring, flags, async ({ millrace, group }) => {
    sayPlace(millrace, wiring, flags.group)
    const kept: Kept[] = []
    const keep = (id: string, outcome: Kept['outcome']): void => {
      if (outcome !== 'gone' || 'ids' in selection) kept.push({ id, outcome })
    }
    const place = placeOf(flags, selection)
    if (flags.yes === true) {
      const { purged } = await group.deadLetters.purge(selection, {
        onOutcome: (id, outcome) => (outcome === 'purged' ? undefined : keep(id, outcome)),
      })
      const result = { group: flags.group, purged, kept }
      print(flags.json === true ? JSON.stringify(result) : `Purged ${counted(purged)}${place}.`)
    } else {
      const wouldPurge = await group.deadLetters.count(selection, keep)
      const text = `Would purge ${counted(wouldPurge)}${place}, for good. Nothing is done without --yes.`
      const result = { group: flags.group, wouldPurge, kept }
      print(flags.json === true ? JSON.stringify(result) : text)
    }
    throwIfKept('purge', kept)
  })
}

const placeOf = ({ group }: Flags, selection: DeadLetterSelection): string =>
  ` of group "${group}"${filterInWords(selection)}`

function throwIfKept(action: string, kept: readonly Kept[]): void {
  if (kept.length === 0) return
  throw new PartlyDoneError(`Cannot ${action} ${counted(kept.length)}:\n${keptInWords(kept)}`)
}

/** A redrive that broke off in the middle is no riddle. */
function interrupted(error: unknown, redriven: number): unknown {
  if (!(error instanceof MillraceError) || error.code === 'NO_GROUP') return error
  return new CommandError(
    `Cannot go on after ${counted(redriven)}: ${sentence(error.message)} Run it again: what is redriven is no dead letter any more, ` +
      'so nothing is redriven twice',
    { cause: error },
  )
}

async function at(
  wiring: Wiring,
  { group }: Flags,
  work: (place: Place) => Promise<void>,
): Promise<void> {
  const millrace = await wiring.connect()
  try {
    await work({ millrace, group: millrace.group(wiring.model.checkins, group) })
  } catch (error) {
    throw withRemedy(error)
  } finally {
    await millrace.close()
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`)
