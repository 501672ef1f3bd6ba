/** What a snapshot says beyond the counts that the oracle holds: states, rates, headroom, what cannot be read. And that it only looks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, integer, projection, stream } from 'millrace'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { look } from '../../src/snapshot/look/look.ts'
import { pendingAges } from '../../src/snapshot/look/pending-ages.ts'
import { snapshotOf } from '../../src/snapshot/snapshot-of.ts'
import { sentenceOf } from '../../src/snapshot/state.ts'
import { takeSnapshot, takeStream } from '../../src/snapshot/take-snapshot.ts'
import type { GroupSnapshot } from '../../src/snapshot/snapshot.ts'
import { ago, append, create, read } from './acts.ts'

const aged = (redis: TestClient, key: string, idleMs: number, ...ids: string[]) =>
  redis.send('XCLAIM', key, 'g', 'ada', '0', ...ids, 'IDLE', String(idleMs), 'JUSTID')

/** Roughly: the clock went on. */
function near(actual: number | null, expected: number, within: number): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) <= within,
    `${actual} is not ${expected}`,
  )
}

onEachServer('a snapshot of a server', (bench) => {
  const groupOf = async (key: string): Promise<GroupSnapshot> => {
    const { groups } = await takeStream(bench().millrace, key, { group: 'g' })
    return groups[0]!
  }

  test('tells ages by ids, also where the server cannot tell the lag', async () => {
    const { redis } = bench()
    const key = freshPrefix()
    await create(redis, key)
    const ids = [50, 40, 30, 20].map((seconds) => ago(seconds))
    for (const id of ids) await append(redis, key, id)
    await read(redis, key, 1)
    await redis.send('XDEL', key, ids[1]!)
    const group = await groupOf(key)
    assert.equal(group.lag, 2)
    assert.equal(group.oldestUndeliveredId, ids[2])
    near(group.timeLagMs, 30_000, 15_000)
    near(group.oldestPendingMs, 50_000, 15_000)
    assert.equal(group.state, 'behind')
    assert.match(
      sentenceOf(group),
      /^Behind: 1 consumer, 2 waiting, time lag [\d.]+ s, 1 pending, /,
    )
  })

  test('knows what came and what was done between two looks', async () => {
    const { redis, millrace } = bench()
    const key = freshPrefix()
    await create(redis, key)
    for (let n = 0; n < 20; n += 1) await append(redis, key, ago(30, n))
    const before = await look(millrace, { streams: [key] }, undefined)
    const at = (seconds: number) => ({ ...before, atMs: before.atMs - seconds * 1000 })
    const stuck = snapshotOf(await look(millrace, { streams: [key] }, undefined), at(10))
    await redis.send('XREADGROUP', 'GROUP', 'g', 'ada', 'COUNT', '12', 'STREAMS', key, '>')
    const rest = (await redis.send('XPENDING', key, 'g', '-', '+', '8')) as string[][]
    await redis.send('XACK', key, 'g', ...rest.map(([id = '']) => id))
    for (let n = 0; n < 4; n += 1) await append(redis, key)
    const now = await look(millrace, { streams: [key] }, undefined)
    const { streams } = snapshotOf(now, { ...before, atMs: now.atMs - 10_000 })
    const [group] = streams[0]!.groups
    assert.equal(streams[0]!.inPerSecond, 0.4)
    assert.equal(group?.donePerSecond, 0.8)
    assert.equal(group.growthPerSecond, -0.4)
    assert.equal(group.secondsToCatchUp, 40)
    assert.equal(group.state, 'catching-up')
    assert.match(sentenceOf(group), /clear in 40\.0 s$/)
    // Nobody had read yet: no consumer is worse than one that stands.
    assert.equal(stuck.streams[0]!.groups[0]!.state, 'nobody')
  })

  test('tells how far the end that producers trim is behind the slowest group', async () => {
    const { redis, millrace } = bench()
    const key = freshPrefix()
    await create(redis, key)
    for (let n = 1; n <= 30; n += 1) await append(redis, key, `${n}-0`, 'MAXLEN', '=', '20')
    const headroom = async () => (await takeStream(millrace, key)).trimHeadroom
    // Entries 11 to 30 are there, and none was read: the next that comes is lost.
    assert.deepEqual(await headroom(), {
      ...{ group: 'g', entryId: '11-0', entries: 0, isExact: true, seconds: null },
    })
    await read(redis, key, 8)
    assert.deepEqual((await headroom())?.entries, 0)
    await redis.send('XACK', key, 'g', '11-0', '12-0', '13-0')
    const held = await headroom()
    assert.deepEqual([held?.entryId, held?.entries, held?.isExact], ['14-0', 3, true])
    await redis.send('XACK', key, 'g', ...[14, 15, 16, 17, 18].map((n) => `${n}-0`))
    const waiting = await headroom()
    assert.deepEqual([waiting?.entryId, waiting?.entries], ['19-0', 8])
    await read(redis, key, 100)
    await redis.send('XGROUP', 'SETID', key, 'g', '30-0')
    // Who deletes what is done deletes no entry that waits.
    const deleted = freshPrefix()
    await create(redis, deleted)
    for (let n = 1; n <= 5; n += 1) await append(redis, deleted, `${n}-0`)
    await redis.send('XDEL', deleted, '1-0')
    assert.equal((await takeStream(millrace, deleted)).trimHeadroom, null)
  })

  test('our trimmer overtakes nobody, so there is no headroom to tell', async () => {
    const { millrace } = bench()
    const visits = stream(freshPrefix(), { guest: integer(1) })
    const group = millrace.group(visits, 'g')
    await group.create()
    for (let n = 0; n < 10; n += 1) await millrace.append(visits, { guest: 1 })
    const guests = projection(`${visits.key}:{guest}`, { visits: count() })
    await group.consumer('ada', { projections: [guests], drain: true }).run()
    await millrace.trim(visits)
    await millrace.append(visits, { guest: 1 })
    const seen = await takeStream(millrace, visits.key)
    assert.deepEqual([seen.entriesAdded, seen.length, seen.removedByOthers], [11, 2, 0])
    assert.equal(seen.trimHeadroom, null)
    const [own] = seen.groups
    assert.deepEqual([own?.isManaged, own?.doneTotal, own?.lag], [true, 10, 1])
  })

  test('tells pauses, leases, and the newest dead letter', async () => {
    const { redis, millrace } = bench()
    const visits = stream(freshPrefix(), { guest: integer(1) })
    const group = millrace.group(visits, 'g')
    await group.create()
    const guests = projection(`${visits.key}:{guest}`, { visits: count() })
    const consumer = group.consumer('ada', { projections: [guests] })
    const run = consumer.run()
    await append(redis, visits.key, ago(20))
    const dead = await waitFor(
      async () => {
        const seen = await groupOf(visits.key)
        return seen.deadLetters === 1 ? seen : undefined
      },
      { what: 'the entry without a guest to be a dead letter' },
    )
    assert.equal(dead.newestDeadLetter?.reason, 'undecodable')
    near(dead.newestDeadLetter.ageMs, 0, 20_000)
    assert.deepEqual(
      dead.consumers.map(({ name, state, holder }) => [name, state, holder?.pid]),
      [['ada', 'alive', process.pid]],
    )
    await group.pause()
    await group.pause({ consumer: 'bob' }, { future: true })
    const paused = await groupOf(visits.key)
    assert.equal(paused.state, 'paused')
    assert.equal(paused.pause?.by?.pid, process.pid)
    assert.deepEqual(Object.keys(paused.consumerPauses), ['bob'])
    assert.deepEqual(
      paused.consumers.map(({ name, state, isPaused }) => [name, state, isPaused]),
      [
        ['ada', 'alive', false],
        ['bob', 'absent', true],
      ],
    )
    assert.deepEqual(paused.consumerCounts, {
      ...{ total: 1, alive: 1, expired: 0, noLease: 0, paused: 1 },
    })
    await consumer.stop()
    await run
    await append(redis, visits.key, ago(20))
    assert.equal((await groupOf(visits.key)).state, 'nobody')
  })

  test('says what it could not read, and of what type it was not', async () => {
    const { redis, millrace } = bench()
    const [text, key] = [freshPrefix(), freshPrefix()]
    await redis.send('SET', text, 'text')
    await create(redis, key)
    await redis.send('SET', `${key}:g:ledger`, 'text')
    const { streams, looked } = await takeSnapshot(millrace, {
      streams: [text, 'nowhere', key, key],
    })
    assert.deepEqual(looked.unread, [
      { key: text, why: 'wrong-type' },
      { key: 'nowhere', why: 'missing' },
    ])
    assert.deepEqual(
      streams.map((one) => one.key),
      [key],
    )
    const [group] = streams[0]!.groups
    assert.deepEqual(group?.unreadKeys, [{ key: `${key}:g:ledger`, why: 'wrong-type' }])
    assert.equal(group.doneTotal, null)
    await assert.rejects(takeStream(millrace, text), { code: 'WRONG_TYPE' })
    await assert.rejects(takeStream(millrace, 'nowhere'), { code: 'NO_STREAM' })
  })

  test('counts pending entries by their ages, however many are old', async () => {
    const { redis, millrace } = bench()
    const key = freshPrefix()
    await create(redis, key)
    await append(redis, key, '1-0')
    const many = 100_000
    for (let from = 0; from < many; from += 10_000) {
      const ids = Array.from({ length: 10_000 }, (_, at) => ago(3600, from + at + 1))
      const first = ids[0]!.split('-')[0]!
      await Promise.all(ids.map((_, at) => append(redis, key, `${first}-${from + at + 1}`)))
    }
    for (const seconds of [45, 30, 5]) await append(redis, key, ago(seconds))
    await append(redis, key)
    await read(redis, key, 200_000)
    const group = await groupOf(key)
    assert.deepEqual([group.pending, group.lag], [many + 5, 0])
    assert.equal(group.oldestPending?.id, '1-0')
    const { under1s, under10s, under60s, ...ages } = await pendingAges(millrace, key, 'g')
    assert.deepEqual(ages, { over60s: many, untimed: 1, isWhole: true })
    // The machine may be slow.
    assert.equal(under1s + under10s + under60s, 4)
  })

  test('changes nothing in groups of others', async () => {
    const { redis, millrace } = bench()
    // As go-redis, BullMQ (events) and @moleculer/channels make them.
    const prefix = `others-${freshPrefix()}`
    const keys = [`${prefix}:orders`, `bull:{${prefix}}:events`, `${prefix}.order.created`]
    for (const key of keys) {
      await redis.send('XGROUP', 'CREATE', key, 'g', '$', 'MKSTREAM')
      for (let n = 1; n <= 6; n += 1) await append(redis, key, `${n}-0`, 'MAXLEN', '~', '10000')
      await read(redis, key, 3, 'node-1 with spaces')
      await redis.send('XACK', key, 'g', '1-0')
      await aged(redis, key, 90_000, '2-0')
    }
    const dumps = () => Promise.all(keys.map((key) => redis.send('DUMP', key)))
    const all = async () => [await dumps(), await redis.send('KEYS', `*${prefix}*`)]
    const before = await all()
    const { streams } = await takeSnapshot(millrace, { streams: keys, overMs: 10 })
    for (const key of keys) await pendingAges(millrace, key, 'g')
    assert.deepEqual(await all(), before)
    for (const { groups } of streams) {
      const [group] = groups
      assert.deepEqual(
        [group?.isManaged, group?.lag, group?.pending, group?.deadLetters, group?.doneTotal],
        [false, 3, 2, 0, null],
      )
      assert.deepEqual(
        group?.consumers.map(({ name, state, pending }) => [name, state, pending]),
        [
          ['ada', 'no-lease', 1],
          ['node-1 with spaces', 'no-lease', 1],
        ],
      )
      assert.equal(group.consumers[0]?.inactiveMs === null, bench().kind === 'redis')
    }
  })
})
