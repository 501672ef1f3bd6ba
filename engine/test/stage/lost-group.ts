/** A group with a pending rest, to be lost, and what holds of it afterwards. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { groupKeys, type RecoveryPlan } from 'millrace/operate'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
  type Fixture,
} from './fixture.ts'

export const ledgerKey = ({ visits }: Fixture): string => groupKeys(visits.key, 'desk').ledger

/** A consumer that does not claim what `dead` holds. */
export const patient = { claimAfterMs: 600_000, batch: 10 }

/**
 * Visits of which the first are pending for a dead consumer and the rest is applied; then, if asked, the sweep has
 * noted what is pending.
 */
export async function halfDone(
  t: TestContext,
  fixture: Fixture,
  { many = 100, held = 10, isNoted = true } = {},
): Promise<void> {
  await appendVisits(fixture, many)
  await readAndDie(fixture, 'dead', held)
  const { consumer } = startConsumer(t, fixture, 'one', patient)
  await untilApplied(fixture, many - held)
  if (isNoted) await untilNoted(fixture, many, held)
  await consumer.stop()
  if (!isNoted) await fixture.redis.send('HDEL', ledgerKey(fixture), 'pendingIds', 'pendingUpTo')
}

export async function untilApplied(fixture: Fixture, many: number): Promise<void> {
  const applied = () => fixture.redis.send('HGET', ledgerKey(fixture), 'applied')
  await waitFor(async () => (await applied()) === String(many), { what: 'the rest to be applied' })
}

/** Waits until a sweep has noted so many pending entries, up to this one. */
export async function untilNoted(fixture: Fixture, last: number, many: number): Promise<void> {
  const noted = async (): Promise<boolean> => {
    const { pendingUpTo, pendingIds = '' } = await fixture.redis.hash(ledgerKey(fixture))
    const ids = pendingIds.split(' ').filter((id) => id !== '')
    return pendingUpTo === `${last}-0` && ids.length === many
  }
  await waitFor(noted, { what: 'the sweep to note what is pending', timeoutMs: 20_000 })
}

export const summary = ({ condition, position, toDeliver, unknown }: RecoveryPlan): unknown[] => [
  condition,
  position,
  toDeliver,
  unknown,
]

/** Counters of the ledger, pending and undelivered entries add up to what was appended. */
export async function assertBalance(fixture: Fixture): Promise<void> {
  const { redis, visits, group } = fixture
  const ledger = await redis.hash(ledgerKey(fixture))
  const of = (field: string): number => Number(ledger[field] ?? 0)
  const info = (await redis.send('XINFO', 'STREAM', visits.key)) as string[]
  const added = Number(info[info.indexOf('entries-added') + 1])
  const { pending, lastDeliveredId } = await group.describe()
  const behind = (await redis.send('XRANGE', visits.key, `(${lastDeliveredId}`, '+')) as unknown[]
  const settled = of('applied') + of('deadLettered') - of('redriven')
  assert.equal(of('skipped') + settled + pending + behind.length, added)
}

export async function appendMore(
  { millrace, visits }: Fixture,
  from: number,
  to: number,
): Promise<void> {
  for (let n = from; n <= to; n += 1) {
    await millrace.append(visits, visit(n), { id: `${n}-0` })
  }
}

export async function drained(t: TestContext, fixture: Fixture): Promise<void> {
  const { consumer, ended } = startConsumer(t, fixture, `again${Math.random()}`)
  await Promise.race([untilDrained(fixture), ended.then((error) => assert.ifError(error))])
  await consumer.stop()
}
