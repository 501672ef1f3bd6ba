/** What a stop waits for: its lease runs to the end, and nothing that is under way is forgotten. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { groupKeys } from 'millrace/operate'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  age,
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
  type Fixture,
} from '../stage/fixture.ts'

const keysOf = ({ visits }: Fixture) => groupKeys(visits.key, 'desk')

/** A handler that works until the consumer stops, and says when it has begun. */
function untilStopped<Outcome>(decide: () => Outcome) {
  const seen = { attempts: [] as number[] }
  const handler = async (
    _entry: unknown,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<Outcome> => {
    seen.attempts.push(attempt)
    if (!signal.aborted) await once(signal, 'abort')
    return decide()
  }
  return { handler, seen, hasBegun: () => seen.attempts.length > 0 }
}

const breakOff = (): never => {
  throw new Error('broken off')
}

/** The fixture through a proxy, whose replies may be late. */
async function behindProxy(t: TestContext, bench: Bench) {
  const direct = await freshGroup(bench)
  const proxy = await startProxy(bench.server.port)
  t.after(() => proxy.close())
  const millrace = await connectFor(t, { url: proxy.url })
  const slow = { ...direct, millrace, group: millrace.group(direct.visits, 'desk') }
  return { direct, slow, proxy }
}

onOldestAndNewest('stop', (bench) => {
  test('renews the lease as long as a handler works', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis } = fixture
    await appendVisits(fixture, 1)
    const finish = new AbortController()
    t.after(() => finish.abort())
    let hasBegun = false
    const { consumer } = startConsumer(t, fixture, 'one', {
      claimAfterMs: 3000,
      handler: async () => {
        hasBegun = true
        await once(finish.signal, 'abort')
      },
    })
    await waitFor(() => hasBegun, { what: 'the handler to begin' })
    const stopped = consumer.stop()
    const ends = async () => Number(await redis.send('ZSCORE', keysOf(fixture).leases, 'one'))
    const before = await ends()
    // Once could be a renewal that was on its way.
    for (const what of ['a renewal', 'the next one']) {
      const last = await ends()
      await waitFor(async () => (await ends()) > last, { what, timeoutMs: 10_000 })
    }
    assert.ok((await ends()) > before)
    finish.abort()
    await stopped
    assert.equal(consumer.counts.applied, 1)
    assert.equal(await redis.send('ZSCORE', keysOf(fixture).leases, 'one'), null)
  })

  test('counts no attempt of a handler that breaks off', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    const first = untilStopped(breakOff)
    const leaving = startConsumer(t, fixture, 'one', { handler: first.handler, attemptsMax: 1 })
    await waitFor(first.hasBegun, { what: 'the handler to begin' })
    await leaving.consumer.stop()
    assert.equal(await fixture.redis.send('EXISTS', keysOf(fixture).attempts, fixture.dead), 0)
    const attempts: number[] = []
    startConsumer(t, fixture, 'two', {
      handler: (_entry, { attempt }) => {
        attempts.push(attempt)
        return undefined
      },
    })
    await untilDrained(fixture)
    assert.deepEqual(attempts, [1])
  })

  test('gives back what a claim brings that is under way', async (t) => {
    const { direct, slow, proxy } = await behindProxy(t, bench())
    const { redis, visits } = direct
    await appendVisits(direct, 1)
    const { handler, hasBegun } = untilStopped(breakOff)
    // Its hand is full, so no read is on its way; there is always room for some claims.
    const options = { claimAfterMs: 10_000, inHandMax: 1, handler }
    const { consumer } = startConsumer(t, slow, 'one', options)
    await waitFor(hasBegun, { what: 'the handler to begin' })
    proxy.delayReplies(700)
    await direct.millrace.append(visits, visit(2))
    await readAndDie(direct, 'dead', 1)
    await age(direct, 'dead', 3_600_000)
    const pending = async () =>
      (await redis.send('XPENDING', visits.key, 'desk', '-', '+', '9', 'one')) as [
        string,
        string,
        number,
      ][]
    await waitFor(async () => (await pending()).length === 2, { what: 'the claim' })
    await consumer.stop()
    const idle = (await pending()).map(([, , idleMs]) => idleMs > 2 ** 30)
    assert.deepEqual(idle, [true, true])
  })

  test('writes the dead letter of an entry that went while a retry was asked for it', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    const { handler, hasBegun } = untilStopped(() => ({ kind: 'retry', afterMs: 1 }) as const)
    const { consumer } = startConsumer(t, fixture, 'one', { inHandMax: 1, handler })
    await waitFor(hasBegun, { what: 'the handler to begin' })
    await fixture.redis.send('XDEL', fixture.visits.key, '1-0')
    await consumer.stop()
    assert.equal(consumer.counts.deadLettered, 1)
    assert.equal(await fixture.redis.send('XLEN', fixture.dead), 1)
    assert.equal((await fixture.group.describe()).pending, 0)
  })

  test('closes the connection that it read on', async (t) => {
    const fixture = await freshGroup(bench())
    const name = `only-${fixture.prefix}`
    const { consumer } = startConsumer(t, fixture, name)
    const isOpen = async () =>
      String(await fixture.redis.send('CLIENT', 'LIST')).includes(`name=millrace:${name} `)
    await waitFor(isOpen, { what: 'its connection' })
    await consumer.stop()
    await waitFor(async () => !(await isOpen()), { what: 'its end', timeoutMs: 10_000 })
  })

  test('settles entries that overflow together, one by one', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, millrace, visits, prefix } = fixture
    await redis.send('HSET', `${prefix}:guests:1`, 'visits', String(2n ** 63n - 2n))
    for (const id of ['1-0', '2-0', '3-0']) {
      await millrace.append(visits, { guest: 1, room: 1, stars: 1 }, { id })
    }
    const { handler, seen } = untilStopped(() => undefined)
    const options = { concurrency: 3, inHandMax: 3, handler }
    const { consumer } = startConsumer(t, fixture, 'one', options)
    await waitFor(() => seen.attempts.length === 3, { what: 'all handlers to begin' })
    await consumer.stop()
    assert.deepEqual([consumer.counts.applied, consumer.counts.deadLettered], [1, 2])
    assert.equal((await fixture.group.describe()).pending, 0)
    assert.equal((await effects(fixture)).rooms, 1)
  })
})
