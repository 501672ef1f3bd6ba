import { Command } from 'commander'
import { isPassing, MillraceError, type Millrace } from 'millrace'
import { durationWithin } from '../command/arguments.ts'
import { UsageError } from '../command/errors.ts'
import { findStreams, lookedText } from '../place/find-streams.ts'
import { withServer } from '../place/lost-server.ts'
import { addPlace, at, connectBy, placeOf, type Place, type PlaceFlags } from '../place/place.ts'
import { creationRemedy } from '../place/remedies.ts'
import { typedAt } from '../place/typed.ts'
import { wrongKeys } from '../doctor/wrong-keys.ts'
import { overviewOf, type Overview } from '../groups/overview.ts'
import { asTable } from '../groups/table.ts'
import type { Service } from '../service.ts'
import { untilInterrupted } from '../stop.ts'
import { duration, isColour, quoted } from '../terminal/words.ts'
import { addRepairs } from './groups-repair.ts'
import { print, printLine } from './output.ts'
import { setPaused } from './pause.ts'

interface Flags extends PlaceFlags {
  readonly json?: boolean
}

interface ShowFlags extends Flags {
  /** Milliseconds between two looks; true: as usual. */
  readonly watch?: number | true
}

interface CreateFlags extends Flags {
  readonly from: string
}

/**
 * `groups`: shows the groups of a stream, or of all streams; makes stream and group (`create`), pauses and resumes the group,
 * repairs what was done to it by hand.
 */
export function command(service: Service): Command {
  const groups = addPlace(
    new Command()
      .description('Shows the groups of the stream, their consumers, and what is pending.')
      .option('--json', 'print it as JSON')
      .option(
        '--watch [time]',
        'look again and again, with so much time between, like 500ms or 5s (default: 2s)',
        durationWithin(100, 86_400_000),
      ),
    service,
  )
    .action((flags: ShowFlags) => show(service, flags))
    // Subcommands take this over when they are made, and only then.
    .exitOverride()
  addPlace(
    groups
      .command('create')
      .description('Makes the group, and the stream if it does not exist.')
      .option(
        '--from <id>',
        'deliver what comes after this id: 0 (all), $ (only new) or an id',
        '0',
      )
      .option('--json', 'print the result as JSON'),
    service,
  ).action((_flags: unknown, created: Command) =>
    create(service, created.optsWithGlobals<CreateFlags>()),
  )
  for (const action of ['pause', 'resume'] as const) {
    addPlace(
      groups
        .command(action)
        .description(pauseTexts[action])
        .option('--json', 'print the result as JSON'),
      service,
    ).action((_flags: unknown, paused: Command) =>
      setPaused(service, action, 'group', paused.optsWithGlobals<Flags>()),
    )
  }
  addRepairs(groups, service)
  return groups
}

const pauseTexts = {
  pause: 'Pauses the group: its consumers read and begin nothing, and keep what they have.',
  resume: 'Ends the pause of the group.',
}

/** What one look has found. */
interface Found {
  readonly result: object
  readonly text: string
  /** For people, and no part of the tables. */
  readonly note?: string
  /** The group that was named is not there. */
  readonly isMissing: boolean
}

const watchEveryMs = 2000

async function show(service: Service, flags: ShowFlags): Promise<void> {
  const { json, watch: every } = flags
  const key = flags.stream ?? service.stream
  const millrace = await connectBy(service, flags)
  const look = (): Promise<Found> =>
    key === undefined
      ? lookAtAll(service, flags, millrace)
      : lookAt(service, flags, { millrace, key })
  try {
    if (every !== undefined) {
      await showAgain(look, { millrace, isJson: json === true, every })
      return
    }
    const { result, text, note, isMissing } = await look()
    print(json, result, text)
    if (isMissing) process.exitCode = 1
    if (note !== undefined && json !== true) process.stderr.write(`(${note})\n`)
  } catch (error) {
    throw withServer(error, millrace)
  } finally {
    await millrace.close()
  }
}

async function showAgain(
  look: () => Promise<Found>,
  { millrace, isJson, every }: { millrace: Millrace; isJson: boolean; every: number | true },
): Promise<void> {
  const isDrawn = process.stdout.isTTY && !isJson && process.env.TERM !== 'dumb'
  const everyMs = every === true ? watchEveryMs : every
  const text = ({ result, text, note }: Found): string => {
    if (isJson) return JSON.stringify(result)
    return note === undefined || !isDrawn ? text : `${text}\n(${note})`
  }
  const { watch } = await import('../command/watch.ts')
  await untilInterrupted((wish) =>
    watch(async () => text(await look()), {
      ...{ everyMs, wish, isPassing, print: printLine },
      title: `Every ${duration(everyMs)}: ${millrace.url}`,
      screen: isDrawn ? process.stdout : undefined,
    }),
  )
}

async function lookAt(
  service: Service,
  flags: Flags,
  { millrace, key }: { readonly millrace: Millrace; readonly key: string },
): Promise<Found> {
  const name = flags.group ?? service.group
  const typed = typedAt(service, flags, millrace, { key, ...(name !== undefined && { name }) })
  // The group need not be there, and may have any name.
  const own = placeOf(service, flags, { millrace, key, name: service.group })
  const place = { ...own, typed, groupName: name }
  try {
    const overview = await overviewOf(millrace, place.stream, {
      expected: key === service.stream ? service.group : undefined,
      only: flags.group,
      readers: place.knowledge.readers,
    })
    return {
      result: inJson(overview),
      text: asTable(overview, { isColour: isColour(), typed }),
      isMissing: flags.group !== undefined && overview.missingGroup !== null,
    }
  } catch (error) {
    throw await explained(error, place)
  }
}

/** What there is on the server. */
async function lookAtAll(service: Service, flags: Flags, millrace: Millrace): Promise<Found> {
  const found = await findStreams(millrace)
  const streams = found.streams.filter(({ groups }) => {
    return flags.group === undefined || groups.includes(flags.group)
  })
  const overviews = await Promise.all(
    streams.map(async ({ key }) => {
      const { stream } = placeOf(service, flags, { millrace, key, name: 'group' })
      return await overviewOf(millrace, stream, { only: flags.group })
    }),
  )
  const { keys, isComplete, withoutGroup } = found
  const looked = { url: millrace.url, keys, isComplete, streamsWithoutGroup: withoutGroup }
  const tables = overviews.map((overview) => {
    const typed = typedAt(service, flags, millrace, { key: overview.stream })
    return asTable(overview, { isColour: isColour(), typed })
  })
  const which = flags.group === undefined ? 'a group' : `group ${quoted(flags.group)}`
  const none = `No stream with ${which} at ${millrace.url}`
  const text = tables.length === 0 ? none : tables.join('\n\n')
  return {
    ...{ result: { streams: overviews.map(inJson), looked }, text, note: lookedText(found) },
    isMissing: flags.group !== undefined && streams.length === 0,
  }
}

/** Readers stand under their own names. */
function inJson({ readers, ...rest }: Overview): object {
  const named = readers.map(({ reader, position }) => [
    reader.jsonName,
    position === null ? null : { key: reader.positionKey, position },
  ])
  return { ...rest, ...Object.fromEntries(named) } as object
}

async function create(service: Service, flags: CreateFlags): Promise<void> {
  const { from, json } = flags
  checkStart(from)
  const work = async ({ group }: Place): Promise<void> => {
    const { created } = await group.create({ from })
    const state = created ? `is created and begins at ${from}` : 'exists already; nothing changed'
    const { stream, name } = group
    const result = { stream: stream.key, group: name, created, ...(created && { from }) }
    print(json, result, `Group ${quoted(name)} of stream ${quoted(stream.key)} ${state}.`)
  }
  await at(service, flags, work, { changes: true })
}

/** @throws {UsageError} when it is not what XGROUP CREATE takes. */
function checkStart(from: string): void {
  const parts = from.split('-')
  const isId =
    parts.length <= 2 && parts.every((part) => /^\d{1,20}$/.test(part) && BigInt(part) < 2n ** 64n)
  if (from === '$' || isId) return
  throw new UsageError(
    `Cannot use ${JSON.stringify(from)} as --from: allowed are 0 (the whole stream), $ (only what comes) ` +
      'and an entry id like 1740790744731-0',
  )
}

/** Says in terms of our commands what the engine has found. */
async function explained(error: unknown, place: Place): Promise<unknown> {
  if (!(error instanceof MillraceError)) return error
  const { millrace, stream, group, knowledge, words } = place
  const action = `Cannot show the groups of stream "${stream.key}" at ${millrace.url}`
  const { code } = error
  if (code === 'NO_STREAM') {
    const told = { action, state: 'it does not exist', remedy: creationRemedy(place) }
    return new MillraceError(code, told, { cause: error })
  }
  if (code !== 'WRONG_TYPE') return error
  const [wrong] = await wrongKeys(millrace, group, knowledge)
  const state =
    wrong === undefined
      ? error.message
      : `key "${wrong.key}" holds a ${wrong.holds}, not a ${wrong.expected}`
  const remedy = `Move it away, or ${words.elsewhere}`
  return new MillraceError(code, { action, state, remedy }, { cause: error })
}
