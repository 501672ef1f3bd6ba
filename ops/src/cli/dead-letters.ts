import { Argument, Command, Option } from 'commander'
import { MillraceError } from 'millrace'
import { deadLetterReasons, type DeadLetterSelection } from 'millrace/operate'
import { integerWithin } from '../command/arguments.ts'
import { CommandError, PartlyDoneError } from '../command/errors.ts'
import { addPlace, at, type Place, type PlaceFlags } from '../place/place.ts'
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
import type { Service } from '../service.ts'
import { untilInterrupted } from '../stop.ts'
import { isColour, sentence } from '../terminal/words.ts'
import { print } from './output.ts'

interface Flags extends PlaceFlags {
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

const reasonOption = (says: string): Option =>
  new Option('--reason <reason>', says).choices(deadLetterReasons)

const manyIds = new Argument('[ids...]', 'ids of dead letters, or of their entries')

/** `dead-letters list | show | redrive | purge`: what could not be processed. */
export function command(service: Service): Command {
  // Subcommands take the override over when they are made, and only then.
  const letters = new Command().description('What could not be processed.').exitOverride()
  const names = service.knowledge.readers.map(
    ({ name, title }) => `, or "${name}" for the ${title}`,
  )
  const add = (name: string, description: string, isDefault = false): Command =>
    addPlace(
      letters
        .command(name, { isDefault })
        .description(description)
        .option('--json', 'print it as JSON'),
      service,
      `the group${names.join('')}`,
    )
  add('list', 'Shows dead letters, the newest first; the default.', true)
    .addOption(reasonOption('only those with this reason'))
    .addOption(
      new Option('--limit <letters>', 'show so many')
        .argParser(integerWithin(1, 10_000))
        .default(20),
    )
    .option('--from <id>', 'go on after this letter')
    .option('--oldest', 'the oldest first')
    .action((flags: ListFlags) => list(service, flags))
  add('show', 'Shows all of a dead letter, long values cut.')
    .addArgument(new Argument('<id>', 'id of the dead letter, or of its entry'))
    .action((id: string, flags: Flags) => show(service, id, flags))
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
    .action((ids: string[], flags: RedriveFlags) => redrive(service, ids, flags))
  add('purge', 'Deletes dead letters for good; without --yes it only says how many.')
    .addArgument(manyIds)
    .option('--all', 'all that are there now')
    .addOption(reasonOption('all with this reason'))
    .addOption(new Option('--older-than <age>', 'all so old, like 12h or 7d').argParser(age))
    .option('--yes', 'do it')
    .action((ids: string[], flags: PurgeFlags) => purge(service, ids, flags))
  return letters
}

async function list(service: Service, flags: ListFlags): Promise<void> {
  const { reason, limit, from, oldest, json } = flags
  if (from !== undefined) checkedId(from)
  await at(service, flags, async ({ millrace, group, knowledge }) => {
    const { name } = group
    const { key } = group.deadLetters
    const page = await group.deadLetters.list({
      count: limit,
      order: oldest === true ? 'oldest' : 'newest',
      ...(reason !== undefined && { reason }),
      ...(from !== undefined && { from }),
    })
    const total = Number(await millrace.send('XLEN', key))
    // No letters may also mean a wrong name. Who reads alone has no group.
    const isReader = knowledge.readers.some((reader) => reader.name === name)
    if (total === 0 && !isReader) await group.describe()
    const listing = { stream: group.stream.key, group: name, deadLetterStream: key, total, ...page }
    print(json, listing, asTable(listing, { isColour: isColour() }))
  })
}

async function show(service: Service, id: string, flags: Flags): Promise<void> {
  checkedId(id)
  await at(service, flags, async ({ millrace, group, typed }) => {
    const found = await group.deadLetters.find(id)
    if (found.length === 0) {
      const kept = keptInWords([{ id, outcome: 'gone' }], typed)
      throw new CommandError(`Cannot show a dead letter of group "${group.name}":\n${kept}`)
    }
    const looked = found.map(async (letter) => {
      const { entryId } = letter
      if (!isId(entryId)) return { ...letter, isInStream: false }
      const entry = await millrace.send('XRANGE', group.stream.key, entryId, entryId)
      return { ...letter, isInStream: Array.isArray(entry) && entry.length > 0 }
    })
    const letters = await Promise.all(looked)
    print(flags.json, letters, letters.map(asText).join('\n\n'))
  })
}

async function redrive(service: Service, ids: string[], flags: RedriveFlags): Promise<void> {
  const selection = selectionOf('redrive', ids, flags)
  const work = async ({ group, typed, words }: Place): Promise<void> => {
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
      `Redrove ${counted(redriven)}${placeText(group, selection)}` +
      (isStopped ? ', then stopped; the rest is as it was.' : '.') +
      (redriven > 0 ? ` A running ${words.worker[0]} takes the entries at its next sweep.` : '')
    print(flags.json, { group: group.name, redriven, kept }, text)
    throwIfKept('redrive', kept, typed)
  }
  await at(service, flags, work, { changes: true })
}

async function purge(service: Service, ids: string[], flags: PurgeFlags): Promise<void> {
  const selection = selectionOf('purge', ids, flags)
  const work = async ({ group, typed }: Place): Promise<void> => {
    const kept: Kept[] = []
    const keep = (id: string, outcome: Kept['outcome']): void => {
      if (outcome !== 'gone' || 'ids' in selection) kept.push({ id, outcome })
    }
    const place = placeText(group, selection)
    if (flags.yes === true) {
      const { purged } = await group.deadLetters.purge(selection, {
        onOutcome: (id, outcome) => (outcome === 'purged' ? undefined : keep(id, outcome)),
      })
      print(flags.json, { group: group.name, purged, kept }, `Purged ${counted(purged)}${place}.`)
    } else {
      const wouldPurge = await group.deadLetters.count(selection, keep)
      const text = `Would purge ${counted(wouldPurge)}${place}, for good. Nothing is done without --yes.`
      print(flags.json, { group: group.name, wouldPurge, kept }, text)
    }
    throwIfKept('purge', kept, typed)
  }
  await at(service, flags, work, { changes: true })
}

const placeText = ({ name }: Place['group'], selection: DeadLetterSelection): string =>
  ` of group "${name}"${filterInWords(selection)}`

function throwIfKept(action: string, kept: readonly Kept[], typed: Place['typed']): void {
  if (kept.length === 0) return
  const lines = keptInWords(kept, typed)
  throw new PartlyDoneError(`Cannot ${action} ${counted(kept.length)}:\n${lines}`)
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
