/** What Redis knows about a stream, its groups and their consumers, at one moment. */
import type { Millrace } from 'millrace'
import type { GroupDescription, Pauses, Reply, RosterEntry } from 'millrace/operate'
import type { AnyStream } from '../place/place.ts'
import type { NamedReader } from '../service.ts'
import { describeAll } from './all-groups.ts'
import { foreignOverview } from './foreign-group.ts'
import { isManaged } from './is-managed.ts'
import { pendingEntries, type PendingEntry } from './pending-entry.ts'

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

export interface GroupOverview extends Omit<
  GroupDescription,
  | 'consumers'
  | 'stream'
  | 'streamLength'
  | 'oldestPendingId'
  | 'newestPendingId'
  | 'deadLetterStream'
> {
  /** The engine has worked on it: it has a ledger or leases. Of another one only the server tells. */
  readonly isManaged: boolean
  /** Null where it can have none. */
  readonly deadLetterStream: string | null
  /** The pending entry with the smallest id; null when nothing is pending. */
  readonly oldestPending: PendingEntry | null
  readonly isPaused: boolean
  readonly pauses: Pauses
  readonly consumers: readonly ConsumerOverview[]
}

export interface ConsumerOverview extends Pick<RosterEntry, 'name' | 'state' | 'isPaused'> {
  readonly pending: number
  readonly oldestPending: PendingEntry | null
  /** Milliseconds since its last read; on Redis 7.0 since its last read that returned entries. */
  readonly idleMs: number
}

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
  const { described, foreignNames } = await describeAll(millrace, stream)
  const [entries, first, last, time] = await Promise.all([
    millrace.send('XLEN', key),
    millrace.send('XRANGE', key, '-', '+', 'COUNT', '1'),
    millrace.send('XREVRANGE', key, '+', '-', 'COUNT', '1'),
    millrace.send('TIME'),
  ])
  const [seconds] = Array.isArray(time) ? time.map(Number) : []
  const isShown = (name: string): boolean => only === undefined || name === only
  const names = [...described.map(({ name }) => name), ...foreignNames]
  const wanted = only ?? expected
  return {
    stream: key,
    entries: Number(entries),
    firstEntryId: idOfOnly(first),
    lastEntryId: idOfOnly(last),
    groups: await Promise.all([
      ...described
        .filter(({ name }) => isShown(name))
        .map((group) => groupOverview(millrace, stream, group)),
      ...foreignNames
        .filter(isShown)
        .map((name) => foreignOverview(millrace, key, name, (seconds ?? 0) * 1000)),
    ]),
    missingGroup:
      wanted === undefined || names.includes(wanted)
        ? null
        : { name: wanted, isLost: await wasThere(millrace, stream, wanted) },
    foreignGroups: foreignNames.filter(isShown),
    readers: await Promise.all(readers.map((reader) => readerOverview(millrace, reader))),
  }
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

async function groupOverview(
  millrace: Millrace,
  stream: AnyStream,
  group: GroupDescription,
): Promise<GroupOverview> {
  const { name, pending, deadLetters, deadLetterStream, lastDeliveredId, entriesRead } = group
  const { lag, oldestUndeliveredMs, oldestPendingMs } = group
  const named = millrace.group(stream, name)
  const [pauses, roster, isOurs] = await Promise.all([
    named.pauses(),
    named.roster(),
    isManaged(millrace, named),
  ])
  const oldest = async (consumer?: string): Promise<PendingEntry | null> => {
    const [entry] = await pendingEntries(millrace, stream.key, name, { count: 1, consumer })
    return entry ?? null
  }
  const consumers = roster.map(async (consumer) => ({
    name: consumer.name,
    state: consumer.state,
    isPaused: consumer.isPaused,
    pending: consumer.pending,
    oldestPending: consumer.pending > 0 ? await oldest(consumer.name) : null,
    idleMs: consumer.idleMs,
  }))
  return {
    name,
    isManaged: isOurs,
    isPaused: pauses.group !== null,
    pauses,
    lag,
    oldestUndeliveredMs,
    pending,
    oldestPendingMs,
    oldestPending: pending > 0 ? await oldest() : null,
    deadLetters,
    deadLetterStream,
    lastDeliveredId,
    entriesRead,
    consumers: await Promise.all(consumers),
  }
}

/** The id of the only entry in a reply of XRANGE. */
function idOfOnly(reply: Reply): string | null {
  const first = Array.isArray(reply) ? reply[0] : undefined
  const [id] = Array.isArray(first) ? first : []
  return typeof id === 'string' ? id : null
}
