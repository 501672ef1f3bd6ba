/** A group as the server alone tells of it: for names that no group of the engine can have. */
import type { Millrace } from 'millrace'
import { ageOf, type Reply } from 'millrace/operate'
import type { ConsumerOverview, GroupOverview } from './overview.ts'
import { pendingEntries } from './pending-entry.ts'

/** What XINFO and XPENDING tell. @throws {MillraceError} NO_GROUP when it was removed meanwhile. */
export async function foreignOverview(
  millrace: Millrace,
  stream: string,
  name: string,
  nowMs: number,
): Promise<GroupOverview> {
  const [groups, consumers] = await Promise.all([
    millrace.send('XINFO', 'GROUPS', stream),
    millrace.send('XINFO', 'CONSUMERS', stream, name),
  ])
  const group = asList(groups)
    .map(record)
    .find((one) => one.name === name)
  const lastDeliveredId = String(group?.['last-delivered-id'] ?? '0-0')
  const pending = Number(group?.pending ?? 0)
  const next = asList(
    await millrace.send('XRANGE', stream, `(${lastDeliveredId}`, '+', 'COUNT', '1'),
  )
  const [nextId] = asList(next[0])
  const oldest = await pendingEntries(millrace, stream, name, { count: 1 })
  return {
    name,
    isManaged: false,
    isPaused: false,
    pauses: { group: null, consumers: {} },
    lag: numberOrNull(group?.lag),
    oldestUndeliveredMs: typeof nextId === 'string' ? ageOf(nextId, nowMs) : null,
    pending,
    oldestPendingMs: oldest[0] === undefined ? null : ageOf(oldest[0].id, nowMs),
    oldestPending: oldest[0] ?? null,
    deadLetters: 0,
    deadLetterStream: null,
    lastDeliveredId,
    entriesRead: numberOrNull(group?.['entries-read']),
    consumers: await Promise.all(
      asList(consumers).map((consumer) => overviewOf(millrace, { stream, name }, record(consumer))),
    ),
  }
}

async function overviewOf(
  millrace: Millrace,
  { stream, name }: { readonly stream: string; readonly name: string },
  consumer: Readonly<Record<string, Reply | undefined>>,
): Promise<ConsumerOverview> {
  const own = String(consumer.name)
  const pending = Number(consumer.pending)
  const [oldestPending = null] =
    pending > 0 ? await pendingEntries(millrace, stream, name, { count: 1, consumer: own }) : []
  return {
    ...{ name: own, state: 'no-lease', isPaused: false, pending, oldestPending },
    idleMs: Number(consumer.idle),
  }
}

function record(reply: Reply): Record<string, Reply | undefined> {
  const flat = asList(reply)
  const pairs: [string, Reply | undefined][] = []
  for (let at = 0; at < flat.length; at += 2) pairs.push([String(flat[at]), flat[at + 1]])
  return Object.fromEntries(pairs)
}

const numberOrNull = (reply: Reply | undefined): number | null =>
  typeof reply === 'number' ? reply : null

const asList = (reply: Reply | undefined): Reply[] => (Array.isArray(reply) ? reply : [])
