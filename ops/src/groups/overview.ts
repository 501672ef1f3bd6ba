/** What Redis knows about a stream, its groups and their consumers, at one moment. */
import { MillraceError, type Millrace } from 'millrace'
import { isName, type Pauses } from 'millrace/operate'
import type { AnyStream } from '../place/place.ts'
import type { NamedReader } from '../service.ts'
import type { ConsumerSnapshot, GroupSnapshot, Unread } from '../snapshot/snapshot.ts'
import { takeStream } from '../snapshot/take-snapshot.ts'

export interface Overview {
  readonly stream: string
  readonly entries: number
  /** Null when the stream is empty. */
  readonly firstEntryId: string | null
  readonly lastEntryId: string | null
  readonly groups: readonly GroupOverview[]
  /** The group that is asked for, where there is none; `isLost`: it has processed entries before. */
  readonly missingGroup: { readonly name: string; readonly isLost: boolean } | null
  /** Groups that others made, with names that our commands cannot work with; they are shown nevertheless. */
  readonly foreignGroups: readonly string[]
  /** Where those are who read alone; `position` null: it has not processed anything. */
  readonly readers: readonly ReaderOverview[]
}

interface ReaderOverview {
  readonly reader: NamedReader
  readonly position: string | null
}

export interface GroupOverview extends Pick<
  GroupSnapshot,
  | 'name'
  | 'isManaged'
  | 'state'
  | 'lag'
  | 'lagDoubt'
  | 'pending'
  | 'oldestPendingMs'
  | 'oldestPending'
  | 'deadLetters'
  | 'deadLetterStream'
  | 'newestDeadLetter'
  | 'lastDeliveredId'
  | 'entriesRead'
> {
  /** Milliseconds since the oldest undelivered entry was appended, by its id; null without one, or when its id tells no time. */
  readonly oldestUndeliveredMs: number | null
  readonly isPaused: boolean
  readonly pauses: Pauses
  readonly consumers: readonly ConsumerOverview[]
}

export type ConsumerOverview = Pick<
  ConsumerSnapshot,
  'name' | 'state' | 'isPaused' | 'pending' | 'oldestPending' | 'idleMs'
>

export interface OverviewOptions {
  /** Name of a group that ought to be there. */
  readonly expected?: string | undefined
  /** Shows this group alone. */
  readonly only?: string | undefined
  readonly readers?: readonly NamedReader[]
}

/**
 * Asks for all of it.
 * @throws {MillraceError} NO_STREAM, WRONG_TYPE.
 */
export async function overviewOf(
  millrace: Millrace,
  stream: AnyStream,
  { expected, only, readers = [] }: OverviewOptions = {},
): Promise<Overview> {
  const { key } = stream
  const { length, firstEntryId, lastEntryId, groups } = await takeStream(millrace, key, {
    group: only,
  })
  for (const { unreadKeys } of groups) await checkTypes(millrace, unreadKeys)
  const names = groups.map(({ name }) => name)
  const wanted = only ?? expected
  return {
    ...{ stream: key, entries: length, firstEntryId, lastEntryId },
    groups: groups.map(overviewOfGroup),
    missingGroup:
      wanted === undefined || names.includes(wanted)
        ? null
        : { name: wanted, isLost: await wasThere(millrace, stream, wanted) },
    foreignGroups: names.filter((name) => !isName(name)),
    readers: await Promise.all(readers.map((reader) => readerOverview(millrace, reader))),
  }
}

/** @throws {MillraceError} WRONG_TYPE: what a key of ours would tell must not look like a zero. */
async function checkTypes(millrace: Millrace, keys: readonly Unread[]): Promise<void> {
  const wrong = keys.find(({ why }) => why === 'wrong-type')
  if (wrong === undefined) return
  const action = `Cannot look at the group that key "${wrong.key}" belongs to`
  const state = `it holds a ${String(await millrace.send('TYPE', wrong.key))}`
  throw new MillraceError('WRONG_TYPE', { action, state })
}

/** Its ledger says that it has processed entries. */
async function wasThere(millrace: Millrace, stream: AnyStream, name: string): Promise<boolean> {
  try {
    return (await millrace.group(stream, name).recovery()).condition !== 'no-ledger'
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

async function readerOverview(millrace: Millrace, reader: NamedReader): Promise<ReaderOverview> {
  const position = await millrace.send('GET', reader.positionKey)
  return { reader, position: typeof position === 'string' ? position : null }
}

function overviewOfGroup(group: GroupSnapshot): GroupOverview {
  const { name, isManaged, state, pause, consumerPauses, lag, lagDoubt, timeLagMs } = group
  const { pending, oldestPendingMs, oldestPending, deadLetters, deadLetterStream } = group
  const { newestDeadLetter, lastDeliveredId, entriesRead, oldestUndeliveredId } = group
  return {
    ...{ name, isManaged, state, isPaused: pause !== null },
    pauses: { group: pause, consumers: consumerPauses },
    ...{ lag, lagDoubt, oldestUndeliveredMs: oldestUndeliveredId === null ? null : timeLagMs },
    ...{ pending, oldestPendingMs, oldestPending },
    ...{ deadLetters, deadLetterStream, newestDeadLetter, lastDeliveredId, entriesRead },
    consumers: group.consumers.map((one) => {
      const { name, state, isPaused, pending, oldestPending, idleMs } = one
      return { name, state, isPaused, pending, oldestPending, idleMs }
    }),
  }
}
