/** The numbers of a snapshot, computed by reading everything: slow, and as simple as can be. */
import type { TestClient } from '../../../testing/test-client.ts'

export interface Truth {
  readonly length: number
  readonly firstEntryId: string | null
  readonly lastEntryId: string | null
  readonly lag: number
  readonly oldestUndeliveredId: string | null
  readonly pending: number
  readonly oldestPendingId: string | null
  /** By name of the consumer: how many are pending for it, and the oldest. */
  readonly consumers: Readonly<Record<string, readonly [pending: number, oldest: string | null]>>
  readonly deadLetters: number
}

type Flat = readonly unknown[]

export async function truthOf(redis: TestClient, key: string, group: string): Promise<Truth> {
  const entries = await everything(redis, key)
  const groups = (await redis.send('XINFO', 'GROUPS', key)) as Flat[]
  const about = groups.map(named).find(({ name }) => name === group)
  if (about === undefined) throw new Error(`No group ${group}`)
  const delivered = idOf(String(about['last-delivered-id']))
  const undelivered = entries.filter((id) => isBefore(delivered, idOf(id)))
  const pending = (await redis.send('XPENDING', key, group, '-', '+', '10000000')) as Flat[]
  const consumers = (await redis.send('XINFO', 'CONSUMERS', key, group)) as Flat[]
  return {
    length: entries.length,
    firstEntryId: entries[0] ?? null,
    lastEntryId: entries.at(-1) ?? null,
    lag: undelivered.length,
    oldestUndeliveredId: undelivered[0] ?? null,
    pending: pending.length,
    oldestPendingId: pending.length > 0 ? String(pending[0]![0]) : null,
    consumers: Object.fromEntries(
      consumers.map((consumer) => {
        const { name } = named(consumer)
        const own = pending.filter(([, holder]) => holder === name)
        return [String(name), [own.length, own.length > 0 ? String(own[0]![0]) : null] as const]
      }),
    ),
    deadLetters: (await everything(redis, `${key}:${group}:dead`)).length,
  }
}

async function everything(redis: TestClient, key: string): Promise<string[]> {
  const entries = (await redis.send('XRANGE', key, '-', '+')) as Flat[]
  return entries.map(([id]) => String(id))
}

function named(flat: Flat): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (let at = 0; at < flat.length; at += 2) values[String(flat[at])] = flat[at + 1]
  return values
}

type Id = readonly [ms: bigint, sequence: bigint]

function idOf(text: string): Id {
  const [ms = '0', sequence = '0'] = text.split('-')
  return [BigInt(ms), BigInt(sequence)]
}

const isBefore = (a: Id, b: Id): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])
