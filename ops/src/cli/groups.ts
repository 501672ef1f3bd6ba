import { Command } from 'commander'
import { MillraceError } from 'millrace'
import { UsageError } from '../command/errors.ts'
import { findStreams, lookedText } from '../place/find-streams.ts'
import { addPlace, at, connectBy, placeOf, type Place, type PlaceFlags } from '../place/place.ts'
import { creationRemedy } from '../place/remedies.ts'
import { typedAt } from '../place/typed.ts'
import { wrongKeys } from '../doctor/wrong-keys.ts'
import { overviewOf, type Overview } from '../groups/overview.ts'
import { asTable } from '../groups/table.ts'
import type { Service } from '../service.ts'
import { isColour, quoted } from '../terminal/words.ts'
import { addRepairs } from './groups-repair.ts'
import { print } from './output.ts'
import { setPaused } from './pause.ts'

interface Flags extends PlaceFlags {
  readonly json?: boolean
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
      .option('--json', 'print it as JSON'),
    service,
  )
    .action((flags: Flags) => show(service, flags))
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

async function show(service: Service, flags: Flags): Promise<void> {
  const key = flags.stream ?? service.stream
  if (key === undefined) {
    await showAll(service, flags)
    return
  }
  const millrace = await connectBy(service, flags)
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
    print(flags.json, inJson(overview), asTable(overview, { isColour: isColour(), typed }))
    if (flags.group !== undefined && overview.missingGroup !== null) process.exitCode = 1
  } catch (error) {
    throw await explained(error, place)
  } finally {
    await millrace.close()
  }
}

/** What there is on the server. */
async function showAll(service: Service, flags: Flags): Promise<void> {
  const millrace = await connectBy(service, flags)
  try {
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
    print(flags.json, { streams: overviews.map(inJson), looked }, text)
    // It is no part of the tables.
    if (flags.json !== true) process.stderr.write(`(${lookedText(found)})\n`)
    if (flags.group !== undefined && streams.length === 0) process.exitCode = 1
  } finally {
    await millrace.close()
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
