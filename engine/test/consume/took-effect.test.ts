/** What metrics are told: when batches took effect, without the entries, whichever way they take. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppliedBatch } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { freshGroup, startConsumer, untilDrained, visit, type Fixture } from '../stage/fixture.ts'

async function appended({ millrace, visits }: Fixture, many: number): Promise<string[]> {
  return await millrace.appendMany(
    visits,
    Array.from({ length: many }, (_, n) => ({ values: visit(n) })),
  )
}

/** The server's clock, in milliseconds. */
async function clock({ redis }: Fixture): Promise<number> {
  const [seconds, micros] = (await redis.send('TIME')) as [string, string]
  return Number(seconds) * 1000 + Number(micros) / 1000
}

function checkTimes(batches: readonly AppliedBatch[], [from, to]: readonly [number, number]): void {
  for (const { atMs, callMs } of batches) {
    assert.ok(atMs !== null && atMs >= from && atMs <= to, `${atMs} of ${from} to ${to}`)
    assert.ok(callMs > 0 && callMs <= to - from + 1, `${callMs} ms`)
  }
}

onEachServer('a batch that took effect', (bench) => {
  test('is told with its first and last id, and stays in the server', async (t) => {
    const fixture = await freshGroup(bench())
    const batches: AppliedBatch[] = []
    const from = await clock(fixture)
    const ids = await appended(fixture, 250)
    // The mode is `auto`: that somebody measures must not end push-down.
    startConsumer(t, fixture, 'one', {
      batch: 100,
      observer: { tookEffect: (batch) => void batches.push(batch) },
    })
    await untilDrained(fixture)
    const all = (): number => batches.reduce((sum, { applied }) => sum + applied, 0)
    await waitFor(() => all() === 250, { what: 'all to be told' })
    assert.ok(batches.every(({ isFolded, ids }) => isFolded && ids.length === 2))
    assert.deepEqual(batches[0]?.ids, [ids[0], ids[batches[0]!.applied - 1]])
    assert.equal(batches.at(-1)?.ids[1], ids.at(-1))
    checkTimes(batches, [from, await clock(fixture)])
  })

  test('is told with all its ids when it is pulled, and each call of the handler with its time', async (t) => {
    const fixture = await freshGroup(bench())
    const batches: AppliedBatch[] = []
    const handled = new Map<string, number[]>()
    const from = await clock(fixture)
    const ids = await appended(fixture, 20)
    const [first = '', second = ''] = ids
    startConsumer(t, fixture, 'one', {
      batch: 8,
      handler: async ({ id }, { attempt }) => {
        if (id === second) throw new Error('always')
        if (id !== first || attempt > 1) return undefined
        await new Promise((resolve) => setTimeout(resolve, 30))
        return { kind: 'retry', afterMs: 1 }
      },
      attemptsMax: 2,
      retry: () => ({ kind: 'retry', afterMs: 1 }),
      observer: {
        tookEffect: (batch) => void batches.push(batch),
        handled: (id, ms) => void handled.set(id, [...(handled.get(id) ?? []), ms]),
      },
    })
    await untilDrained(fixture)
    const told = (): string[] => batches.flatMap((batch) => [...batch.ids]).sort()
    await waitFor(() => told().length === 19, { what: 'all but the dead letter' })
    assert.deepEqual(told(), ids.filter((id) => id !== second).sort())
    assert.ok(batches.every(({ isFolded, applied, ids }) => !isFolded && applied === ids.length))
    checkTimes(batches, [from, await clock(fixture)])
    assert.deepEqual(
      [handled.size, handled.get(first)?.length, handled.get(second)?.length],
      [20, 2, 2],
    )
    assert.ok(handled.get(first)![0]! >= 29, `${handled.get(first)![0]} ms`)
    assert.ok(handled.get(first)![1]! < 29, `${handled.get(first)![1]} ms`)
  })

  test('of a reader is told, too', async () => {
    const fixture = await freshGroup(bench())
    const from = await clock(fixture)
    const ids = await appended(fixture, 10)
    const batches: AppliedBatch[] = []
    const { millrace, visits, guests, prefix } = fixture
    const reader = millrace.reader(visits, {
      name: 'r',
      positionKey: `${prefix}:position`,
      projections: [guests],
      batch: 4,
      drain: true,
      observer: { tookEffect: (batch) => void batches.push(batch) },
    })
    await reader.run()
    assert.deepEqual(
      batches.flatMap((batch) => [...batch.ids]),
      ids,
    )
    checkTimes(batches, [from, await clock(fixture)])
    assert.deepEqual(reader.counts, { applied: 10, deadLettered: 0 })
  })

  test('comes with the state of the lease and of a pause', async (t) => {
    const fixture = await freshGroup(bench())
    const { consumer } = startConsumer(t, fixture, 'one', { claimAfterMs: 400 })
    assert.deepEqual([consumer.leaseLeftMs, consumer.isPaused], [0, false])
    await waitFor(() => consumer.leaseLeftMs > 0, { what: 'the lease' })
    assert.ok(consumer.leaseLeftMs <= 300, 'three quarters of claimAfterMs')
    await fixture.group.pause({ consumer: 'one' })
    await waitFor(() => consumer.isPaused, { what: 'the pause' })
    await consumer.stop()
    assert.equal(consumer.leaseLeftMs, 0)
  })
})
