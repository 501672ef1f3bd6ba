/** Pauses of a group and of one consumer; the order of entries with one key. */
import assert from 'node:assert/strict'
import { hostname, userInfo } from 'node:os'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { inBothModes } from '../stage/both-modes.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
} from '../stage/fixture.ts'

const quick = { claimAfterMs: 200 }

inBothModes('pause', (bench, startConsumer) => {
  test('of a group stops reads and claims; resumed, everything takes effect', async (t) => {
    const fixture = await freshGroup(bench())
    const { group, visits, millrace } = fixture
    const paused: boolean[] = []
    const observer = { paused: (isPaused: boolean) => void paused.push(isPaused) }
    startConsumer(t, fixture, 'one', { ...quick, observer })
    await appendVisits(fixture, 10)
    await untilDrained(fixture)
    await group.pause()
    assert.equal(await group.isPaused(), true)
    await waitFor(() => paused.length === 1, { what: 'the consumer to be paused' })
    await readAndDie(fixture, 'dead', 1)
    await millrace.appendMany(
      visits,
      [1, 2, 3].map((n) => ({ values: visit(n) })),
    )
    await readAndDie(fixture, 'dead', 1)
    // Another one that starts now is paused as well, and the first keeps its name for longer than a lease.
    startConsumer(t, fixture, 'two', { ...quick, observer })
    await waitFor(() => paused.length === 2, { what: 'the second one to be paused' })
    const since = performance.now()
    await waitFor(
      async () => {
        const roster = await group.roster()
        assert.equal(roster.find(({ name }) => name === 'one')?.state, 'alive')
        return performance.now() - since > 500
      },
      { what: 'the time of some leases' },
    )
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })
    assert.equal(await group.resume(), true)
    assert.equal(await group.resume(), false)
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 13, rooms: 13 })
    await waitFor(() => paused.length === 4, { what: 'both to be resumed' })
    assert.deepEqual(paused, [true, true, false, false])
  })

  test('of a consumer that died keeps nobody from its entries, and stays for its name', async (t) => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    await appendVisits(fixture, 5)
    await readAndDie(fixture, 'one', 5)
    await group.pause({ consumer: 'one' })
    await redis.send('ZADD', groupKeys(visits.key, 'desk').leases, 1, 'one')
    const { consumer } = startConsumer(t, fixture, 'two', quick)
    await untilDrained(fixture)
    await consumer.stop()
    assert.equal(consumer.counts.claimed, 5)
    assert.deepEqual(await effects(fixture), { guests: 5, rooms: 5 })
    const paused: boolean[] = []
    const observer = { paused: (isPaused: boolean) => void paused.push(isPaused) }
    startConsumer(t, fixture, 'one', { ...quick, observer })
    await waitFor(() => paused.length > 0, { what: 'the next process of the name to be paused' })
    assert.deepEqual(paused, [true])
  })
})

onEachServer('pause while a handler runs', (bench) => {
  test('of one consumer keeps its entries for it, and the others go on', async (t) => {
    const fixture = await freshGroup(bench())
    const { group } = fixture
    let begun = 0
    let wasPaused = false
    const running = new AbortController()
    const { consumer } = startConsumer(t, fixture, 'one', {
      ...quick,
      inHandMax: 5,
      observer: { paused: () => void (wasPaused = true) },
      handler: async () => {
        begun += 1
        if (running.signal.aborted) return
        await new Promise((resolve) => running.signal.addEventListener('abort', resolve))
      },
    })
    await appendVisits(fixture, 100)
    await waitFor(async () => begun === 1 && (await group.describe()).pending === 5, {
      what: 'the hand to be full',
    })
    await group.pause({ consumer: 'one' })
    const roster = async () => (await group.roster()).find(({ name }) => name === 'one')
    assert.equal((await roster())?.isPaused, true)
    startConsumer(t, fixture, 'two', quick)
    await waitFor(async () => (await group.describe()).lag === 0, { what: 'two to take the rest' })
    // What runs is finished; the rest of the hand waits, longer than a lease.
    await waitFor(() => wasPaused, { what: 'the consumer to be paused' })
    running.abort()
    await waitFor(() => consumer.counts.applied === 1, { what: 'the entry that was begun' })
    const leaseLeftMs = async () => (await roster())?.leaseLeftMs ?? -1
    const endsAt = Date.now() + (await leaseLeftMs())
    await waitFor(async () => Date.now() > endsAt + 100 && (await leaseLeftMs()) > 0, {
      what: 'the lease to be renewed beyond its end',
    })
    assert.equal(begun, 1)
    assert.equal((await group.describe()).pending, 4)
    await group.resume({ consumer: 'one' })
    await untilDrained(fixture)
    await consumer.stop()
    assert.equal(consumer.counts.applied, 5)
    assert.deepEqual(await effects(fixture), { guests: 100, rooms: 100 })
  })

  test('is noted with its time and its maker, once, and told of with those of older versions', async (t) => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    startConsumer(t, fixture, 'one', quick)
    await waitFor(async () => (await group.roster()).length === 1, { what: 'the consumer' })
    const first = await group.pause({ consumer: 'one' })
    assert.equal(first.changed, true)
    assert.deepEqual(first.pause.by, {
      user: userInfo().username,
      host: hostname(),
      pid: process.pid,
    })
    const [seconds] = (await redis.send('TIME')) as [string]
    assert.ok(Math.abs(first.pause.since / 1000 - Number(seconds)) < 60)
    assert.deepEqual(await group.pause({ consumer: 'one' }), { ...first, changed: false })
    const { leases, holders } = groupKeys(visits.key, 'desk')
    await redis.send('ZADD', leases, 1234, '@paused:')
    await redis.send('HSET', holders, '@paused:', 'of somebody else')
    const { group: ofGroup, consumers } = await group.pauses()
    assert.deepEqual(ofGroup, { since: 1234, by: null })
    assert.deepEqual({ ...consumers }, { one: first.pause })
    assert.deepEqual((await group.roster())[0]?.pause, first.pause)
    assert.equal(await group.resume(), true)
    assert.equal(await group.resume({ consumer: 'one' }), true)
    assert.equal(await redis.send('HGET', holders, '@paused:one'), null)
    assert.equal((await group.pauses()).group, null)
  })

  test('of a consumer that there is not is refused, unless it is meant for the future', async (t) => {
    const fixture = await freshGroup(bench())
    const { group } = fixture
    const isMissing = (error: unknown): boolean =>
      error instanceof MillraceError && error.code === 'NO_CONSUMER'
    await assert.rejects(group.pause({ consumer: 'ghostly' }), isMissing)
    assert.deepEqual(await group.roster(), [])
    await group.pause({ consumer: 'ghostly' }, { future: true })
    const [ghost] = await group.roster()
    assert.deepEqual([ghost?.name, ghost?.state, ghost?.isPaused], ['ghostly', 'absent', true])
    const paused: boolean[] = []
    const observer = { paused: (isPaused: boolean) => void paused.push(isPaused) }
    startConsumer(t, fixture, 'ghostly', { ...quick, observer })
    await waitFor(() => paused.length > 0, { what: 'the pause to be seen' })
    await waitFor(async () => (await group.roster())[0]?.state === 'alive', { what: 'its lease' })
    // One that only redis-cli has.
    await appendVisits(fixture, 1)
    await readAndDie(fixture, 'foreign', 1)
    await group.pause({ consumer: 'foreign' })
    assert.deepEqual(Object.keys((await group.pauses()).consumers).sort(), ['foreign', 'ghostly'])
  })

  test('refuses names that no consumer can have', async () => {
    const { group } = await freshGroup(bench())
    await assert.rejects(group.pause({ consumer: 'a b' }), RangeError)
    await assert.rejects(group.resume({ consumer: '' }), RangeError)
  })
})

onEachServer('order', (bench) => {
  test('of entries that were pending is kept while their attempts are looked up', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 6)
    await readAndDie(fixture, 'one', 3)
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    proxy.cutBeforeReply('HMGET')
    const millrace = await connectFor(t, { url: proxy.url })
    const seen: string[] = []
    const group = millrace.group(fixture.visits, 'desk')
    startConsumer(t, { ...fixture, group }, 'one', {
      concurrency: 3,
      orderBy: () => 'all',
      handler: ({ id }) => {
        seen.push(id)
        return undefined
      },
    })
    await untilDrained(fixture)
    assert.equal(proxy.cuts, 1)
    assert.deepEqual(seen, ['1-0', '2-0', '3-0', '4-0', '5-0', '6-0'])
  })

  test('of entries with one key is kept; those with other keys run beside them', async (t) => {
    const fixture = await freshGroup(bench())
    const seen = new Map<number, string[]>()
    const running = new Set<number>()
    let most = 0
    startConsumer(t, fixture, 'one', {
      concurrency: 20,
      orderBy: ({ values }) => values.guest,
      handler: async ({ id, values: { guest, stars } }) => {
        assert.ok(!running.has(guest), `guest ${guest} is handled twice at a time`)
        running.add(guest)
        most = Math.max(most, running.size)
        await new Promise((resolve) => setTimeout(resolve, stars))
        running.delete(guest)
        seen.set(guest, [...(seen.get(guest) ?? []), id])
      },
    })
    const ids = await appendVisits(fixture, 210)
    await untilDrained(fixture)
    assert.equal((await fixture.group.describe()).deadLetters, 0)
    assert.equal(most, 7)
    for (const [guest, order] of seen) {
      assert.deepEqual(
        order,
        ids.filter((_, n) => 1 + (n % 7) === guest),
      )
    }
  })

  test('lets an entry that is tried again go after those of its key that came meanwhile', async (t) => {
    const fixture = await freshGroup(bench())
    const seen: string[] = []
    startConsumer(t, fixture, 'one', {
      concurrency: 5,
      orderBy: ({ values }) => values.guest,
      handler: ({ id }, { attempt }) => {
        seen.push(`${id} ${attempt}`)
        return id === '1-0' && attempt === 1 ? { kind: 'retry', afterMs: 100 } : undefined
      },
    })
    const { millrace, visits } = fixture
    const additions = ['1-0', '2-0', '3-0'].map((id) => ({ values: visit(0), id }))
    await millrace.appendMany(visits, additions)
    await untilDrained(fixture)
    assert.deepEqual(seen, ['1-0 1', '2-0 1', '3-0 1', '1-0 2'])
    assert.deepEqual(await effects(fixture), { guests: 3, rooms: 3 })
  })
})
