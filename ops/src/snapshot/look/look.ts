/** One look at streams and groups: what a moment alone tells. Rates and states need two: `snapshot-of.ts`. Looking changes nothing. */
import { MillraceError, type Millrace } from 'millrace'
import { ageOf } from 'millrace/operate'
import { findStreams } from '../../place/find-streams.ts'
import { frontOf, type Front } from '../headroom.ts'
import { countLags, toldLag, type CountBudget, type Lag } from '../lag.ts'
import { askEach, type Sender } from '../../asking/pipeline.ts'
import type { Named } from './group-questions.ts'
import { readGroups, type ReadWork } from './read-groups.ts'
import { clockIn, infoFields, serverIn } from './read-server.ts'
import { readStreams, type ReadStream } from './read-streams.ts'
import type { GroupSnapshot, Looked, ServerSnapshot } from '../snapshot.ts'

/** A group, all but what needs two looks. */
export type LookedGroup = ReadWork & Lag & Pick<GroupSnapshot, 'timeLagMs'>

export interface LookedStream extends Omit<ReadStream, 'groups'> {
  readonly groups: readonly LookedGroup[]
  /** Null where others do not trim, or no group waits for anything. */
  readonly front: Front | null
}

export interface Look {
  /** Milliseconds of the server's clock. */
  readonly atMs: number
  readonly tookMs: number
  readonly server: ServerSnapshot | null
  readonly streams: readonly LookedStream[]
  readonly looked: Looked
}

export interface LookOptions {
  /** Keys of streams; they are in the snapshot also without groups. Default: all streams of the server that have groups. */
  readonly streams?: readonly string[] | undefined
  /** The only group to look at; default: all. */
  readonly group?: string | undefined
  /** What may be counted. */
  readonly budget?: CountBudget | undefined
}

/** What streams there are: found by a walk over the keys of the server, which need not be repeated with each look. */
export type Found = Omit<Looked, 'unread'> & { readonly keysOfStreams: readonly string[] }

/** What is asked. */
export type Looker = Pick<Millrace, 'send' | 'countEntries'>

/** Walks over the keys. @throws {MillraceError} AUTHENTICATION when the user may not SCAN, and those of the connection. */
export async function find(millrace: Sender): Promise<Found> {
  const { streams, ...looked } = await findStreams(millrace)
  return { ...looked, keysOfStreams: streams.map(({ key }) => key) }
}

/**
 * @param found what is looked at where no streams are named
 * @throws {MillraceError} when the server does not answer.
 */
export async function look(
  millrace: Looker,
  options: LookOptions,
  found: Found | undefined,
): Promise<Look> {
  const began = performance.now()
  const { atMs, server } = await readServer(millrace)
  const { streams: keys = found?.keysOfStreams ?? [] } = options
  const { streams: read, unread } = await readStreams(millrace, [...new Set(keys)])
  const streams = await lookAtStreams(millrace, read, { ...options, atMs })
  const isNamed = options.streams !== undefined
  return {
    ...{ atMs, server, tookMs: Math.round(performance.now() - began) },
    streams: streams.filter(({ groups }) => isNamed || groups.length > 0),
    looked: {
      ...lookedAt(found, keys),
      // What was found a while ago may be gone.
      unread: unread.filter(({ why }) => isNamed || why === 'forbidden'),
    },
  }
}

function lookedAt(found: Found | undefined, named: readonly string[]): Omit<Looked, 'unread'> {
  if (found === undefined) return { keys: named.length, isComplete: true, withoutGroup: 0 }
  const { keys, isComplete, withoutGroup } = found
  return { keys, isComplete, withoutGroup }
}

interface Looking extends LookOptions {
  readonly atMs: number
}

async function lookAtStreams(
  millrace: Looker,
  read: readonly ReadStream[],
  looking: Looking,
): Promise<LookedStream[]> {
  const { group: only } = looking
  const named = read.flatMap((stream): Named[] =>
    stream.groups
      .filter(({ name }) => only === undefined || name === only)
      .map((group) => ({ stream, group })),
  )
  const groups = new Map<string, LookedGroup[]>(read.map(({ key }) => [key, []]))
  for (const group of await lookAtGroups(millrace, named, looking)) {
    groups.get(group.stream)?.push(group)
  }
  const looked: LookedStream[] = []
  for (const stream of read) {
    const own = groups.get(stream.key) ?? []
    looked.push({ ...stream, groups: own, front: await frontOf(millrace, stream, own) })
  }
  return looked
}

async function readServer(millrace: Sender): Promise<Pick<Look, 'atMs' | 'server'>> {
  const [answers] = await askEach(millrace, [{ time: ['TIME'], info: ['INFO'] }])
  const { time, info } = answers ?? {}
  const mayAsk = info !== undefined && !(info instanceof MillraceError)
  const fields = mayAsk ? infoFields(String(info)) : undefined
  return { atMs: clockIn(time, fields), server: fields === undefined ? null : serverIn(fields) }
}

async function lookAtGroups(
  millrace: Looker,
  named: readonly Named[],
  { atMs, budget }: Looking,
): Promise<LookedGroup[]> {
  const works = await readGroups(millrace, named, atMs)
  const told = named.map((one, at) => {
    const work = works[at]
    return work === undefined ? null : toldLag(one, work)
  })
  const counted = await countLags(
    millrace,
    named.filter((_, at) => told[at] === null),
    budget,
  )
  return named.flatMap((one, at) => {
    const work = works[at]
    const lag = told[at] ?? counted.get(one)
    if (work === undefined || lag === undefined) return []
    const oldest = work.oldestUndeliveredId
    return [{ ...work, ...lag, timeLagMs: oldest === null ? 0 : ageOf(oldest, atMs) }]
  })
}
