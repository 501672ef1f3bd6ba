/** Failed attempts: counted for failures and not for deliveries, scheduled beyond the life of a consumer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError, type Handler } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
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
  type Fixture,
  type VisitFields,
} from '../stage/fixture.ts'

const keysOf = ({ visits }: Fixture) => groupKeys(visits.key, 'desk')

/** Names and numbers of pending entries by consumer. */
async function pendingBy({ group }: Fixture): Promise<Record<string, number>> {
  const { consumers } = await group.describe()
  return Object.fromEntries(
    consumers.flatMap(({ name, pending }) => (pending > 0 ? [[name, pending]] : [])),
  )
}

const failing = (message: string): Handler<VisitFields> => {
  return () => {
    throw new Error(message)
  }
}

onEachServer('retries', (bench) => {
  test('wait parked in Redis, and the next process goes on counting', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis } = fixture
    await appendVisits(fixture, 1)
    const retry = () => ({ kind: 'retry' as const, afterMs: 300 })
    const first = startConsumer(t, fixture, 'first', { handler: failing('no'), retry })
    await waitFor(() => first.consumer.counts.retried === 1, { what: 'the first failure' })
    assert.deepEqual(await pendingBy(fixture), { retry: 1 })
    assert.equal(await redis.send('HGET', keysOf(fixture).attempts, '1-0'), '1:300')
    await first.consumer.stop()
    // Nobody lives when it is due.
    await waitFor(
      async () => {
        const due = await redis.send('ZSCORE', keysOf(fixture).retries, '1-0')
        return Number(due) < Date.now()
      },
      { what: 'the retry to be due' },
    )
    const attempts: number[] = []
    const { consumer } = startConsumer(t, fixture, 'second', {
      claimAfterMs: 400,
      handler: (_entry, { attempt }) => {
        attempts.push(attempt)
        return undefined
      },
    })
    await untilDrained(fixture)
    await consumer.stop()
    assert.deepEqual(attempts, [2])
    assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
    assert.equal(await redis.send('EXISTS', keysOf(fixture).attempts, keysOf(fixture).retries), 0)
  })

  test('are counted for failures: ten deaths in a row condemn nothing', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await appendVisits(fixture, 20)
    await readAndDie(fixture, 'dead0', 20)
    for (let death = 1; death < 10; death += 1) {
      const claim = [visits.key, 'desk', `dead${death}`, '0', '0', 'COUNT', '100']
      await redis.send('XAUTOCLAIM', ...claim)
    }
    const rows = (await redis.send('XPENDING', visits.key, 'desk', '-', '+', '1')) as number[][]
    assert.equal(rows[0]?.[3], 10)
    await age(fixture, 'dead9', 3_600_000)
    const attempts = new Set<number>()
    startConsumer(t, fixture, 'one', {
      attemptsMax: 1,
      claimAfterMs: 100,
      handler: (_entry, { attempt }) => {
        attempts.add(attempt)
        return undefined
      },
    })
    await untilDrained(fixture)
    assert.deepEqual([...attempts], [1])
    assert.equal((await group.describe()).deadLetters, 0)
    assert.deepEqual(await effects(fixture), { guests: 20, rooms: 20 })
  })

  test('end in a dead letter that says how often, after the limit', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 3)
    startConsumer(t, fixture, 'one', { handler: failing('never'), attemptsMax: 3 })
    await untilDrained(fixture)
    const { letters } = await fixture.group.deadLetters.list({ order: 'oldest' })
    assert.deepEqual(
      letters.map(({ entryId, attempts, error }) => [entryId, attempts, error]).sort(),
      ['1-0', '2-0', '3-0'].map((id) => [id, 3, 'never (attempt 3 of 3)']),
    )
    assert.equal(await fixture.redis.send('EXISTS', keysOf(fixture).attempts), 0)
    // Redriven, it begins anew.
    await fixture.group.deadLetters.redrive({ ids: ['1-0'] })
    await untilDrained(fixture)
    const again = (await fixture.group.deadLetters.list()).letters
    assert.deepEqual([again.length, again[0]?.attempts], [3, 3])
  })

  test('leave no count of attempts behind an entry that its hash refuses', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, prefix, group } = fixture
    await appendVisits(fixture, 2)
    await redis.send('SET', `${prefix}:guests:2`, 'text')
    // While something is pending, nothing else cleans up.
    await readAndDie(fixture, 'dead', 1)
    const attempts: number[] = []
    const { consumer } = startConsumer(t, fixture, 'one', {
      handler: (_entry, { attempt }) => {
        attempts.push(attempt)
        return attempts.length === 1 ? { kind: 'retry', afterMs: 1 } : undefined
      },
    })
    await waitFor(() => consumer.counts.deadLettered === 1, { what: 'the refusal' })
    assert.equal(await redis.send('EXISTS', keysOf(fixture).attempts), 0)
    await redis.send('DEL', `${prefix}:guests:2`)
    await group.deadLetters.redrive({ ids: ['2-0'] })
    await waitFor(() => consumer.counts.applied === 1, { what: 'the entry that was redriven' })
    assert.deepEqual(attempts, [1, 2, 1])
  })

  test('are not overlooked when they are due in the moment they are scheduled', async (t) => {
    const fixture = await freshGroup(bench())
    const { server } = bench()
    await appendVisits(fixture, 3)
    const proxy = await startProxy(server.port)
    t.after(() => proxy.close())
    const millrace = await connectFor(t, { url: proxy.url })
    const group = millrace.group(fixture.visits, 'desk')
    const held = new AbortController()
    const { consumer } = startConsumer(t, { ...fixture, group }, 'one', {
      concurrency: 3,
      claimAfterMs: 60_000,
      handler: async ({ id }, { attempt }) => {
        if (id === '1-0') return attempt < 4 ? { kind: 'retry', afterMs: 1 } : undefined
        if (attempt > 1) return undefined
        if (id === '2-0') return { kind: 'retry', afterMs: 700 }
        await new Promise((resolve) => held.signal.addEventListener('abort', resolve))
        return { kind: 'retry', afterMs: 0 }
      },
    })
    // The scripts are known to the server.
    await waitFor(() => consumer.counts.applied === 1, { what: 'the first entry' })
    await waitFor(() => consumer.counts.retried === 4, { what: 'the second one to wait' })
    // The look for what is due is sent in time; that it came no further is what the test is about.
    const isDue = async () => {
      const [seconds] = (await fixture.redis.send('TIME')) as string[]
      const { retries } = keysOf(fixture)
      return (await fixture.redis.send('ZCOUNT', retries, 0, (Number(seconds) - 1) * 1000)) === 1
    }
    // One is scheduled and one looked for while nothing passes: then the replies come together.
    proxy.blackHole(true)
    held.abort()
    await waitFor(isDue, {
      what: 'the second one to be due',
    })
    proxy.blackHole(false)
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 3, rooms: 3 })
  })

  test('follow the policy by the error', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 4)
    const seen: Record<string, number> = {}
    startConsumer(t, fixture, 'one', {
      attemptsMax: 3,
      handler: ({ id }) => {
        seen[id] = (seen[id] ?? 0) + 1
        if (id === '1-0') throw new TypeError('bad')
        if (id === '2-0' && seen[id] < 3) throw new Error('busy')
        if (id === '3-0') throw new Error('unknown')
        if (id === '4-0' && seen[id] < 2) throw new RangeError('the policy itself throws')
        return undefined
      },
      retry: ({ error }) => {
        if (error instanceof TypeError) return { kind: 'dead-letter' }
        if (error instanceof RangeError) throw new Error('a bug in the policy')
        return error instanceof Error && error.message === 'busy'
          ? { kind: 'retry', afterMs: 5 }
          : undefined
      },
    })
    await untilDrained(fixture)
    assert.deepEqual(seen, { '1-0': 1, '2-0': 3, '3-0': 3, '4-0': 2 })
    const { letters } = await fixture.group.deadLetters.list({ order: 'oldest' })
    assert.deepEqual(letters.map(({ entryId, error }) => `${entryId} ${error}`).sort(), [
      '1-0 bad',
      '3-0 unknown (attempt 3 of 3)',
    ])
    assert.deepEqual(await effects(fixture), { guests: 2, rooms: 2 })
  })

  test('do not fill the hand: a thousand that wait hold nobody up', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1000)
    const { consumer } = startConsumer(t, fixture, 'one', {
      inHandMax: 10,
      batch: 10,
      handler: ({ values }) => {
        if (values.stars === 0) throw new Error('not yet')
        return undefined
      },
      retry: () => ({ kind: 'retry', afterMs: 3_600_000 }),
    })
    const waiting = Math.ceil(1000 / 6)
    await waitFor(() => consumer.counts.applied === 1000 - waiting, { what: 'all the others' })
    await waitFor(() => consumer.counts.retried === waiting, { what: 'all failures' })
    assert.deepEqual(await pendingBy(fixture), { retry: waiting })
  })

  test('tell of an entry whose body went while it waited', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    const { consumer } = startConsumer(t, fixture, 'one', {
      handler: failing('no'),
      retry: () => ({ kind: 'retry', afterMs: 50 }),
    })
    await waitFor(() => consumer.counts.retried === 1, { what: 'the failure' })
    await fixture.redis.send('XDEL', fixture.visits.key, '1-0')
    await untilDrained(fixture)
    const [letter] = (await fixture.group.deadLetters.list()).letters
    assert.deepEqual([letter?.entryId, letter?.reason], ['1-0', 'lost'])
    const ledger = await fixture.redis.send('HGET', keysOf(fixture).ledger, 'deadLettered')
    assert.equal(ledger, '1')
  })

  test('end the consumer with a clear error when their key is of another type', async (t) => {
    const fixture = await freshGroup(bench())
    await fixture.redis.send('SET', keysOf(fixture).retries, 'text')
    await appendVisits(fixture, 1)
    const { ended } = startConsumer(t, fixture, 'one', { handler: failing('no') })
    const error = await ended
    assert.ok(error instanceof MillraceError && error.code === 'WRONG_TYPE')
    assert.equal((await fixture.group.describe()).pending, 1)
  })
})
