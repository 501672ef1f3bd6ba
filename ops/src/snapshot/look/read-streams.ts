/** What XINFO tells of streams and of their groups. */
import { MillraceError } from 'millrace'
import { streamLedger, type Reply } from 'millrace/operate'
import { askEach, type Answer, type Sender } from '../../asking/pipeline.ts'
import { idOf, listOf, mapOf, numberIn } from '../../asking/replies.ts'
import type { StreamSnapshot, Unread } from '../snapshot.ts'

/** A stream as it was read, and the groups that XINFO GROUPS names. */
export interface ReadStream extends Omit<
  StreamSnapshot,
  'inPerSecond' | 'trimHeadroom' | 'groups'
> {
  readonly groups: readonly ReadGroup[]
}

/** A group as XINFO GROUPS tells it. */
export interface ReadGroup {
  readonly name: string
  /** How many consumers it has. */
  readonly consumers: number
  readonly pending: number
  readonly lastDeliveredId: string
  readonly entriesRead: number | null
  readonly serverLag: number | null
}

export interface ReadStreams {
  readonly streams: readonly ReadStream[]
  readonly unread: readonly Unread[]
}

export async function readStreams(millrace: Sender, keys: readonly string[]): Promise<ReadStreams> {
  const asked = await askEach(
    millrace,
    keys.map((key) => ({
      about: ['XINFO', 'STREAM', key],
      groups: ['XINFO', 'GROUPS', key],
      trimmed: ['HGET', streamLedger(key), 'trimmed'],
    })),
  )
  const streams: ReadStream[] = []
  const unread: Unread[] = []
  for (const [at, answers] of asked.entries()) {
    const key = keys[at] ?? ''
    const failure = [answers.about, answers.groups].find((one) => one instanceof MillraceError)
    if (failure === undefined) streams.push(streamIn(key, answers))
    else unread.push({ key, why: whyUnread(failure) })
  }
  return { streams, unread }
}

export function whyUnread({ code }: MillraceError): Unread['why'] {
  if (code === 'NO_STREAM') return 'missing'
  return code === 'WRONG_TYPE' ? 'wrong-type' : 'forbidden'
}

function streamIn(
  key: string,
  replies: Readonly<Record<'about' | 'groups' | 'trimmed', Answer | undefined>>,
): ReadStream {
  const about = mapOf(replies.about)
  const length = numberIn(about.get('length')) ?? 0
  const entriesAdded = numberIn(about.get('entries-added')) ?? 0
  return {
    key,
    length,
    firstEntryId: idOf(about.get('first-entry')),
    lastEntryId: idOf(about.get('last-entry')),
    lastGeneratedId: String(about.get('last-generated-id') ?? '0-0'),
    entriesAdded,
    maxDeletedId: String(about.get('max-deleted-entry-id') ?? '0-0'),
    // A counter that somebody set is no proof of a removal.
    removedByOthers: Math.max(0, entriesAdded - length - (numberIn(replies.trimmed) ?? 0)),
    groups: listOf(replies.groups).map(groupIn),
  }
}

function groupIn(reply: Reply): ReadGroup {
  const group = mapOf(reply)
  return {
    name: String(group.get('name')),
    consumers: numberIn(group.get('consumers')) ?? 0,
    pending: numberIn(group.get('pending')) ?? 0,
    lastDeliveredId: String(group.get('last-delivered-id') ?? '0-0'),
    entriesRead: numberIn(group.get('entries-read')),
    serverLag: numberIn(group.get('lag')),
  }
}
