/** Looks which streams of a server have groups. Bounded: on a server with very many keys it looks at a part, and says so. */
import { isPassing, MillraceError, type Millrace } from 'millrace'
import type { Reply } from 'millrace/operate'
import { countOf, escaped, written } from '../terminal/words.ts'

interface FoundStream {
  readonly key: string
  /** Names of its groups. */
  readonly groups: readonly string[]
}

export interface FoundStreams {
  /** Those with groups, by their keys. */
  readonly streams: readonly FoundStream[]
  /** Streams without any. */
  readonly withoutGroup: number
  /** Keys of the server, whatever they hold. */
  readonly keys: number
  /** False: it did not look at all of them. */
  readonly isComplete: boolean
}

export interface LookOptions {
  /** Calls of SCAN at most, each of about a thousand keys; default 1,000. */
  readonly scansMax?: number
}

const keysPerScan = '1000'
/** So many streams are asked for their groups; dead letters are streams, too. */
const streamsMax = 10_000
const askedAtOnce = 100

/**
 * @param key looks at this stream alone
 * @throws {MillraceError} NO_STREAM, WRONG_TYPE where a key is named; AUTHENTICATION when the user may not SCAN.
 */
export async function findStreams(
  millrace: Pick<Millrace, 'send'>,
  key?: string,
  { scansMax = 1000 }: LookOptions = {},
): Promise<FoundStreams> {
  if (key !== undefined) {
    const groups = await groupNames(millrace, key)
    return { streams: [{ key, groups }], withoutGroup: 0, keys: 1, isComplete: true }
  }
  const { found, isComplete } = await scan(millrace, scansMax)
  const all = [...found].sort()
  const asked: FoundStream[] = []
  const some = all.slice(0, streamsMax)
  for (let from = 0; from < some.length; from += askedAtOnce) {
    const keys = some.slice(from, from + askedAtOnce)
    const found = keys.map(async (key) => ({ key, groups: await groupsOrNone(millrace, key) }))
    asked.push(...(await Promise.all(found)))
  }
  const streams = asked.filter(({ groups }) => groups.length > 0)
  return {
    streams,
    withoutGroup: asked.length - streams.length,
    keys: Number(await millrace.send('DBSIZE')),
    isComplete: isComplete && all.length <= streamsMax,
  }
}

async function scan(
  millrace: Pick<Millrace, 'send'>,
  scansMax: number,
): Promise<{ found: ReadonlySet<string>; isComplete: boolean }> {
  const found = new Set<string>()
  let cursor = '0'
  for (let scans = 0; scans < scansMax; scans += 1) {
    const asked = ['SCAN', cursor, 'COUNT', keysPerScan, 'TYPE', 'stream']
    const [next, keys] = asList(await millrace.send(...asked))
    for (const key of asList(keys)) found.add(String(key))
    cursor = String(next)
    if (cursor === '0') return { found, isComplete: true }
  }
  return { found, isComplete: false }
}

/** One that was removed meanwhile, or that the user may not look at, has none to show. */
async function groupsOrNone(millrace: Pick<Millrace, 'send'>, key: string): Promise<string[]> {
  try {
    return await groupNames(millrace, key)
  } catch (error) {
    if (error instanceof MillraceError && !isPassing(error)) return []
    throw error
  }
}

/** Names of the groups of a stream. @throws {MillraceError} NO_STREAM, WRONG_TYPE. */
export async function groupNames(millrace: Pick<Millrace, 'send'>, key: string): Promise<string[]> {
  // The name is the first value of each group since XINFO exists.
  const groups = await millrace.send('XINFO', 'GROUPS', key).catch((error: unknown) => {
    throw noStream(error, key)
  })
  return asList(groups).map((group) => String(asList(group)[1]))
}

/** Says in a sentence what a bare reply of the server means; any other failure stays as it is. */
function noStream(error: unknown, key: string): unknown {
  if (!(error instanceof MillraceError)) return error
  const { code } = error
  const action = `Cannot look for the groups of stream "${escaped(key)}"`
  const cause = { cause: error }
  if (code === 'NO_STREAM')
    return new MillraceError(code, { action, state: 'it does not exist' }, cause)
  if (code !== 'WRONG_TYPE') return error
  const state = 'it is a key of another type'
  const remedy = 'Move that key away or use another one'
  return new MillraceError(code, { action, state, remedy }, cause)
}

const asList = (reply: Reply | undefined): Reply[] => (Array.isArray(reply) ? reply : [])

/** How far it looked: `looked at all 12,345 keys`. */
export function lookedText({ keys, isComplete, withoutGroup }: FoundStreams): string {
  const far = isComplete
    ? `looked at ${keys === 1 ? 'the only key' : `all ${written(keys)} keys`}`
    : `looked at a part of the ${written(keys)} keys: name what is missing with --stream`
  return withoutGroup === 0 ? far : `${far}; ${countOf(withoutGroup, 'stream')} without a group`
}
