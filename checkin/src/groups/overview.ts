/** What Redis knows about a stream, its groups and their consumers, at one moment. */
import type { GroupDescription, Millrace, Pauses, Reply, RosterEntry } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { describeAll } from '../domain/all-groups.ts'

export interface Overview {
  readonly stream: string
  readonly entries: number
  /** Null when the stream is empty. */
  readonly firstEntryId: string | null
  readonly lastEntryId: string | null
  readonly groups: readonly GroupOverview[]
  /** The group that our commands are about, where there is none; `isLost`: it has processed entries before. */
  readonly missingGroup: { readonly name: string; readonly isLost: boolean } | null
  /** Groups that others made, with names that our commands cannot use. */
  readonly foreignGroups: readonly string[]
  /** Where the single processor is; null when it has not processed anything since the last load. */
  readonly singleProcessor: { readonly key: string; readonly position: string } | null
}

export interface GroupOverview extends Omit<
  GroupDescription,
  'consumers' | 'stream' | 'streamLength' | 'oldestPendingId' | 'newestPendingId'
> {
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

/** An entry that is delivered and not acknowledged. */
export interface PendingEntry {
  readonly id: string
  readonly consumer: string
  /** Milliseconds since it was delivered last. */
  readonly idleMs: number
  readonly deliveries: number
}

/**
 * Asks for all of it.
 * @param own name of the group that our commands are about
 * @throws {MillraceError} NO_STREAM, WRONG_TYPE.
 */
export async function overviewOf(
  millrace: Millrace,
  model: CheckinModel,
  own: string,
): Promise<Overview> {
  const { checkins, positionKey } = model
  const { described, foreignNames } = await describeAll(millrace, checkins)
  const [entries, first, last, position] = await Promise.all([
    millrace.send('XLEN', checkins.key),
    millrace.send('XRANGE', checkins.key, '-', '+', 'COUNT', '1'),
    millrace.send('XREVRANGE', checkins.key, '+', '-', 'COUNT', '1'),
    millrace.send('GET', positionKey),
  ])
  return {
    stream: checkins.key,
    entries: Number(entries),
    firstEntryId: idOfOnly(first),
    lastEntryId: idOfOnly(last),
    groups: await Promise.all(
      described.map(async (group) => {
        const named = millrace.group(checkins, group.name)
        const [pauses, roster] = await Promise.all([named.pauses(), named.roster()])
        return groupOverview(millrace, group, { pauses, roster })
      }),
    ),
    missingGroup: described.some(({ name }) => name === own)
      ? null
      : await missingGroup(millrace, model, own),
    foreignGroups: foreignNames,
    singleProcessor: typeof position === 'string' ? { key: positionKey, position } : null,
  }
}

async function missingGroup(
  millrace: Millrace,
  { checkins }: CheckinModel,
  name: string,
): Promise<Overview['missingGroup']> {
  const { condition } = await millrace.group(checkins, name).recovery()
  return { name, isLost: condition !== 'no-ledger' }
}

async function groupOverview(
  millrace: Millrace,
  group: GroupDescription,
  { pauses, roster }: { readonly pauses: Pauses; readonly roster: readonly RosterEntry[] },
): Promise<GroupOverview> {
  const { name, pending, deadLetters, deadLetterStream, lastDeliveredId, entriesRead } = group
  const { lag, oldestUndeliveredMs, oldestPendingMs } = group
  const oldest = async (...consumer: string[]): Promise<PendingEntry | null> =>
    onlyPending(await millrace.send('XPENDING', group.stream, name, '-', '+', '1', ...consumer))
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
  const [id] = firstOf(reply)
  return typeof id === 'string' ? id : null
}

/** The only entry in a reply of XPENDING. */
function onlyPending(reply: Reply): PendingEntry | null {
  const [id, consumer, idleMs, deliveries] = firstOf(reply)
  if (typeof id !== 'string') return null
  return { id, consumer: String(consumer), idleMs: Number(idleMs), deliveries: Number(deliveries) }
}

function firstOf(reply: Reply): Reply[] {
  const first = Array.isArray(reply) ? reply[0] : undefined
  return Array.isArray(first) ? first : []
}
