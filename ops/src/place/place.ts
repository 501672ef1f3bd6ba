/** Where a command works: server, stream and group, by its flags, by what its service is about, or by looking what is there. */
import { InvalidArgumentError, type Command } from 'commander'
import { stream, text, type Group, type Millrace, type Stream, type TextField } from 'millrace'
import { isName, shownUrl } from 'millrace/operate'
import { noKnowledge, plainWords, type Knowledge, type Service, type Words } from '../service.ts'
import { escaped } from '../terminal/words.ts'
import { name } from '../command/arguments.ts'
import { UsageError } from '../command/errors.ts'
import { findStreams, lookedText, type FoundStreams } from './find-streams.ts'
import { withServer } from './lost-server.ts'
import { withRemedy } from './remedies.ts'
import { inShell, typedAt, type Typed } from './typed.ts'

export interface PlaceFlags {
  readonly redis?: string
  readonly stream?: string
  readonly group?: string
}

/** The options of a command that say where. They may stand before and behind the name of a subcommand. */
export function addPlace(command: Command, { stream, group }: Service, who = 'the group'): Command {
  const byDefault = (value: string | undefined, otherwise: string): string =>
    value === undefined ? otherwise : `default: ${value}`
  return command
    .option('--redis <url>', 'the server (default: what REDIS_URL names)')
    .option(
      '--stream <key>',
      `key of the stream (${byDefault(stream, 'default: the only one')})`,
      filled,
    )
    .option('--group <name>', `${who} (${byDefault(group, 'default: the only one')})`, filled)
}

/** An unset variable of a script names nothing. */
function filled(value: string): string {
  if (value === '') throw new InvalidArgumentError('It is empty.')
  return value
}

/** A stream without its declaration: an operator's work needs the key alone. */
export type AnyStream = Stream<{ readonly any: TextField }>
export type AnyGroup = Group<AnyStream['fields']>

/** What a command works with. */
export interface Place {
  readonly millrace: Millrace
  readonly stream: AnyStream
  /** Where only the stream matters and nobody named a group, or one that the engine cannot have: one that is not to be used. */
  readonly group: AnyGroup
  /** The group by its flag, or by the service; undefined where only the stream matters. */
  readonly groupName: string | undefined
  readonly words: Words
  readonly knowledge: Knowledge
  readonly typed: Typed
}

export interface WorkOptions {
  /** It changes something: then nothing is guessed, and server, stream and group are named on stderr first. */
  readonly changes?: boolean
  /** It only looks, and works for groups of every name: then `group` is not to be used where the engine can have none of it. */
  readonly anyName?: boolean
  /** Whether it is about a group, the default, or about the stream and all its groups. */
  readonly about?: 'group' | 'stream'
  /** Told of the connection. */
  readonly log?: Parameters<Service['connect']>[0]['log']
}

/**
 * Connects, does the work, and closes.
 * @throws {UsageError} when stream or group are not named and cannot be found; the engine's failures with the service's remedies.
 */
export async function at(
  service: Service,
  flags: PlaceFlags,
  work: (place: Place) => Promise<void>,
  { changes = false, anyName = false, about = 'group', log }: WorkOptions = {},
): Promise<void> {
  if (!anyName) checkGroup(flags.group)
  if (changes) checkNamed(service, flags, about)
  const millrace = await connectBy(service, flags, log)
  try {
    const { key, name } = await target(service, flags, { millrace, about })
    if (!anyName) checkGroup(name)
    const place = placeOf(service, flags, { millrace, key, name })
    if (changes) sayPlace(millrace, key, name)
    try {
      await work(place)
    } catch (error) {
      throw withRemedy(error, place)
    }
  } catch (error) {
    throw withServer(error, millrace, { changes })
  } finally {
    await millrace.close()
  }
}

export const connectBy = (
  service: Service,
  { redis }: PlaceFlags,
  log?: WorkOptions['log'],
): Promise<Millrace> =>
  service.connect({
    ...(redis !== undefined && { url: redis }),
    ...(log !== undefined && { log }),
  })

/** A place by its names. The group of a name that the engine cannot have is one that is not to be used. */
export function placeOf(
  service: Service,
  flags: PlaceFlags,
  { millrace, key, name }: { millrace: Millrace; key: string; name: string | undefined },
): Place {
  const declared: AnyStream = stream(key, { any: text() })
  return {
    millrace,
    stream: declared,
    group: millrace.group(declared, name !== undefined && isName(name) ? name : 'none'),
    groupName: name,
    words: wordsAt(service, flags, key),
    knowledge: key === service.stream ? service.knowledge : noKnowledge,
    typed: typedAt(service, flags, millrace, { key, ...(name !== undefined && { name }) }),
  }
}

/** Commands of the service know their own stream and server alone: for another one they are no help. */
function wordsAt(
  { stream, words }: Service,
  { redis }: PlaceFlags,
  key: string | undefined,
): Words {
  if (key === undefined || key !== stream) return plainWords
  return redis === undefined ? words : { ...words, orSampleData: '' }
}

/** @throws {UsageError} for a group of others whose name no group of the engine can have. */
function checkGroup(group: string | undefined): void {
  if (group === undefined) return
  try {
    name(group)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(
      `Cannot work on group ${JSON.stringify(group)}: its name is not ${error.message}. ` +
        'Look at it with "groups", "consumers", "pending" and "doctor"; what changes something is for groups of Millrace',
      { cause: error },
    )
  }
}

/** Says on stderr where a command is about to change something: the server without its password, stream and group. */
export function sayPlace({ url }: Pick<Millrace, 'url'>, key: string, name?: string): void {
  const group = name === undefined ? '' : `, group "${escaped(name)}"`
  process.stderr.write(`At ${url}, stream "${escaped(key)}"${group}:\n`)
}

/** What changes something is done to what was named, and to nothing else. */
function checkNamed(service: Service, flags: PlaceFlags, about: 'group' | 'stream'): void {
  const missing = [
    ...(flags.stream === undefined && service.stream === undefined ? ['--stream'] : []),
    ...(about === 'group' && flags.group === undefined && service.group === undefined
      ? ['--group']
      : []),
  ]
  if (missing.length === 0) return
  const { redis, stream: key } = flags
  const url = redis === undefined ? '' : shownRedis(redis)
  const typed = typedAt(service, flags, { url }, key === undefined ? {} : { key })
  throw new UsageError(
    `Cannot change anything without ${missing.join(' and ')}. What there is: ${typed('groups')}`,
  )
}

/** A URL without its password, before anybody connects to it. @throws {UsageError} when it is none. */
function shownRedis(url: string): string {
  try {
    return shownUrl(url)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(error.message, { cause: error })
  }
}

/** @throws {UsageError} when it is not one stream with one group. */
async function target(
  service: Service,
  flags: PlaceFlags,
  { millrace, about }: { readonly millrace: Millrace; readonly about: 'group' | 'stream' },
): Promise<{ key: string; name: string | undefined }> {
  const key = flags.stream ?? service.stream
  const name = flags.group ?? service.group
  if (key !== undefined && (name !== undefined || about === 'stream')) return { key, name }
  const found = await findStreams(millrace, key).catch((error: unknown) => {
    const names = { ...(key !== undefined && { key }), ...(name !== undefined && { name }) }
    const typed = typedAt(service, flags, millrace, names)
    throw withRemedy(error, { typed, words: wordsAt(service, flags, key), groupName: name })
  })
  const all = found.streams.flatMap(({ key, groups }) => groups.map((group) => ({ key, group })))
  const fitting = name === undefined ? all : all.filter(({ group }) => group === name)
  const [only] = fitting
  const where = key === undefined ? `at ${millrace.url}` : `of stream "${escaped(key)}"`
  if (only === undefined) throw nothingFound(found, { key, name, where })
  const isOneStream = fitting.every(({ key }) => key === only.key)
  if (isOneStream && about === 'stream') return { key: only.key, name }
  if (fitting.length === 1) return { key: only.key, name: only.group }
  throw tooMany(fitting, where)
}

function nothingFound(
  found: FoundStreams,
  { key, name, where }: { key: string | undefined; name: string | undefined; where: string },
): UsageError {
  const looked = key === undefined ? ` (${lookedText(found)})` : ''
  const which = name === undefined ? 'a group' : `group "${escaped(name)}"`
  return new UsageError(
    `There is no stream with ${which} ${where}${looked}. Name it with --stream and --group`,
  )
}

const shownMax = 10

function tooMany(
  groups: readonly { readonly key: string; readonly group: string }[],
  where: string,
): UsageError {
  const lines = groups
    .slice(0, shownMax)
    .map(({ key, group }) => `\n  --stream ${inShell(key)} --group ${inShell(group)}`)
  const more = groups.length > shownMax ? '\n  ...' : ''
  return new UsageError(`There is more than one group ${where}. Name one:${lines.join('')}${more}`)
}
