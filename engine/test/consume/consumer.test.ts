/** The life of a consumer: reading, claiming, handling, stopping. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { count, projection, type Entry, type Outcome } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { inBothModes } from '../stage/both-modes.ts'
import {
  age,
  appendVisits,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
} from '../stage/fixture.ts'

const times = (text: string, many: number): string[] => Array.from({ length: many }, () => text)

inBothModes('consumer', (bench, startConsumer, mode) => {
  test('applies what was appended before it started and what comes later', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 30)
    const { consumer } = startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    await fixture.millrace.append(fixture.visits, visit(1))
    await waitFor(() => consumer.counts.applied === 31, { what: 'the late entry' })
    assert.deepEqual(await effects(fixture), { guests: 31, rooms: 31 })
  })

  test('begins with the entries that are pending for its own name', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 12)
    await readAndDie(fixture, 'one', 7)
    const order: string[] = []
    startConsumer(t, fixture, 'one', {
      batch: 3,
      claimAfterMs: 60_000,
      observer: { delivered: (entries, how) => void order.push(...entries.map(() => how)) },
    })
    await untilDrained(fixture)
    // Push-down has no body of a new entry in flight.
    const ofNew = mode === 'pull' ? times('new', 5) : []
    assert.deepEqual(order, [...times('pending', 7), ...ofNew])
    assert.deepEqual(await effects(fixture), { guests: 12, rooms: 12 })
  })

  test('receives the entries of a consumer that died before acknowledging', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 250)
    await readAndDie(fixture, 'doomed', 250)
    const { consumer } = startConsumer(t, fixture, 'survivor', { claimAfterMs: 60 })
    await untilDrained(fixture)
    await consumer.stop()
    assert.equal(consumer.counts.claimed, 250)
    assert.deepEqual(await effects(fixture), { guests: 250, rooms: 250 })
  })

  test('tells whose entries it has claimed', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 5)
    await readAndDie(fixture, 'ada', 2)
    await readAndDie(fixture, 'ben', 3)
    const whose: unknown[] = []
    startConsumer(t, fixture, 'survivor', {
      claimAfterMs: 60,
      observer: { delivered: (entries, ...rest) => void whose.push([entries.length, ...rest]) },
    })
    await untilDrained(fixture)
    assert.deepEqual(whose.sort(), [
      [2, 'claimed', 'ada'],
      [3, 'claimed', 'ben'],
    ])
  })

  test('finds claimable entries behind a long list of others', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 3000)
    await readAndDie(fixture, 'living', 2990)
    await readAndDie(fixture, 'doomed', 10)
    await age(fixture, 'doomed', 3_600_000)
    const { consumer } = startConsumer(t, fixture, 'survivor', { claimAfterMs: 600_000 })
    await waitFor(() => consumer.counts.applied === 10, { what: 'the ten of the dead consumer' })
    assert.equal((await fixture.group.describe()).pending, 2990)
  })

  test('stops at once while it waits for entries', async (t) => {
    const fixture = await freshGroup(bench())
    let isWaiting = false
    const { consumer, ended } = startConsumer(t, fixture, 'one', {
      observer: { waiting: () => void (isWaiting = true) },
    })
    await waitFor(() => isWaiting, { what: 'an empty read' })
    const before = performance.now()
    await consumer.stop()
    assert.equal(await ended, undefined)
    assert.ok(performance.now() - before < 1500, 'the read was left to its full BLOCK')
    await consumer.stop()
  })

  test('ends by itself when it drains, with nothing undelivered or pending', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 100)
    const drains = ['a', 'b', 'c'].map((name) => startConsumer(t, fixture, name, { drain: true }))
    for (const { ended } of drains) assert.equal(await ended, undefined)
    assert.equal(await fixture.group.isDrained(), true)
    assert.deepEqual(await effects(fixture), { guests: 100, rooms: 100 })
  })
})

onEachServer('consumer with a handler', (bench) => {
  test('does not lose entries to others while a handler works longer than the claim time', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 3)
    const release = new AbortController()
    let begun = 0
    const slow = startConsumer(t, fixture, 'slow', {
      claimAfterMs: 400,
      concurrency: 3,
      handler: async () => {
        begun += 1
        if (begun <= 3) await once(release.signal, 'abort')
      },
    })
    await waitFor(() => begun === 3, { what: 'the handlers to begin' })
    const other = startConsumer(t, fixture, 'other', { claimAfterMs: 400 })
    let looks = 0
    // Each empty read of the other one takes two seconds: five times the claim time.
    await waitFor(
      async () => (await fixture.group.describe()).consumers.length >= 1 && ++looks > 100,
      {
        what: 'more than the claim time to pass',
      },
    )
    assert.equal(other.consumer.counts.claimed, 0)
    release.abort()
    await untilDrained(fixture)
    await slow.consumer.stop()
    assert.equal(slow.consumer.counts.applied, 3)
  })

  test('runs handlers up to its concurrency and follows what they decide', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 40)
    let running = 0
    let most = 0
    const attempts = new Map<string, number>()
    const decide = ({ id }: Entry, attempt: number): Outcome | undefined => {
      attempts.set(id, attempt)
      if (id === '5-0') return { kind: 'dead-letter', reason: 'not wanted' }
      if (id === '6-0' && attempt < 3) return { kind: 'retry', afterMs: 5 }
      if (id === '7-0' && attempt < 2) throw new Error('once')
      if (id === '8-0') throw new Error('always')
      return undefined
    }
    const { consumer } = startConsumer(t, fixture, 'one', {
      concurrency: 4,
      attemptsMax: 3,
      handler: async (entry, { attempt }) => {
        running += 1
        most = Math.max(most, running)
        await setImmediate()
        running -= 1
        return decide(entry, attempt)
      },
    })
    await untilDrained(fixture)
    assert.equal(most, 4)
    assert.deepEqual(
      ['5-0', '6-0', '7-0', '8-0', '9-0'].map((id) => attempts.get(id)),
      [1, 3, 2, 3, 1],
    )
    const letters = (await fixture.redis.send('XRANGE', fixture.dead, '-', '+')) as [
      string,
      string[],
    ][]
    assert.deepEqual(letters.map(([, flat]) => [flat[1], flat[3], flat[5]]).sort(), [
      ['5-0', 'handler', 'not wanted'],
      ['8-0', 'handler', 'always (attempt 3 of 3)'],
    ])
    assert.deepEqual(await effects(fixture), { guests: 38, rooms: 38 })
    assert.equal(consumer.counts.retried, 2 + 1 + 2)
  })

  test('stops in order: finishes what runs, gives back the rest for others to claim at once', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 20)
    const release = new AbortController()
    let isHandling = false
    const { consumer } = startConsumer(t, fixture, 'leaving', {
      claimAfterMs: 3_600_000,
      inHandMax: 20,
      handler: async () => {
        isHandling = true
        await once(release.signal, 'abort')
      },
    })
    // That the server has delivered says not yet that the consumer has seen it.
    await waitFor(() => isHandling, { what: 'the first handler to begin' })
    await waitFor(async () => (await fixture.group.describe()).pending === 20, {
      what: 'the hand to be full',
    })
    const stopped = consumer.stop()
    release.abort()
    await within(stopped, { what: 'the consumer to stop' })
    assert.equal(consumer.counts.applied, 1)
    assert.equal((await fixture.group.describe()).pending, 19)
    const other = startConsumer(t, fixture, 'staying', { claimAfterMs: 3_600_000 })
    await untilDrained(fixture)
    await other.consumer.stop()
    assert.equal(other.consumer.counts.claimed, 19)
  })

  test('refuses wrong options and names at once', async () => {
    const { group, guests } = await freshGroup(bench())
    const projections = [guests]
    for (const name of ['unassigned', 'redrive', '', 'a b', 'é', 'x'.repeat(65), 'a\r\nb']) {
      assert.throws(() => group.consumer(name, { projections }), RangeError)
    }
    for (const options of [{ batch: 0 }, { batch: 5001 }, { batch: 1.5 }, { claimAfterMs: 1 }]) {
      assert.throws(() => group.consumer('one', { projections, ...options }), RangeError)
    }
    assert.throws(() => group.consumer('one', {}), /without a handler or a projection/)
    assert.throws(() => group.consumer('one', { projections: [guests, guests] }), /two projections/)
    const both = [
      projection('accounts:{guest}', { in: count() }),
      projection('accounts:{room}', { out: count() }),
    ]
    assert.throws(() => group.consumer('one', { projections: both }), /their keys may meet/)
    const consumer = group.consumer('one', { projections, drain: true })
    await consumer.run()
    await assert.rejects(consumer.run(), /runs once/)
  })
})
