/** One run of retention: what is needed is never trimmed, and the rest is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError, type TrimOptions } from 'millrace'
import { streamLedger } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import {
  appendVisits,
  connectFor,
  freshGroup,
  readAndDie,
  visit,
  type Fixture,
} from '../stage/fixture.ts'
import { acknowledge, claimAll, kept, process, trim } from '../stage/retention.ts'

onEachServer('trim', (bench) => {
  test('removes what every group has processed, and explains it before', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 250)
    await process(fixture, 'desk', 240)
    const holder = { kind: 'last-delivered', group: 'desk', id: '240-0' }
    const found = { frontier: '240-0', holder, cut: '240-0' }
    assert.deepEqual(await trim(fixture, { dryRun: true }), {
      ...{ kind: 'explained', ...found, removable: 239, isExact: true, length: 250 },
    })
    assert.equal((await kept(fixture)).length, 250)
    assert.deepEqual(await trim(fixture), {
      ...{ kind: 'trimmed', ...found, removed: 239, remaining: 11, calls: 1 },
    })
    assert.deepEqual(await kept(fixture), [240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250])
    assert.deepEqual(await trim(fixture, { dryRun: true }), {
      ...{ kind: 'explained', ...found, removable: 0, isExact: true, length: 11 },
    })
  })

  test('keeps everything for a new group at 0, and all that a slow group has not processed', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await appendVisits(fixture, 20)
    await process(fixture, 'desk', 20)
    await redis.send('XGROUP', 'CREATE', visits.key, 'audit', '0')
    const atStart = await trim(fixture)
    assert.deepEqual(atStart, {
      kind: 'trimmed',
      frontier: '0-0',
      holder: { kind: 'last-delivered', group: 'audit', id: '0-0' },
      cut: '0-0',
      removed: 0,
      remaining: 20,
      calls: 1,
    })
    await process(fixture, 'audit', 5)
    await trim(fixture)
    assert.equal((await kept(fixture))[0], 5)
    await process(fixture, 'audit', 5)
    await trim(fixture)
    assert.equal((await kept(fixture))[0], 10)
  })

  test('is held by the oldest pending entry, and names its consumer', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 30)
    await readAndDie(fixture, 'ada', 5)
    await readAndDie(fixture, 'bob', 25)
    await acknowledge(fixture, 1, 2, 4, 5)
    const outcome = await trim(fixture)
    assert.ok(outcome.kind === 'trimmed' && outcome.holder.kind === 'pending')
    const { idleMs, ...holder } = outcome.holder
    assert.ok(idleMs < 60_000)
    assert.deepEqual(holder, {
      ...{ kind: 'pending', group: 'desk', id: '3-0', consumer: 'ada', deliveries: 1 },
    })
    assert.equal(outcome.removed, 2)
    assert.equal((await kept(fixture))[0], 3)
    await acknowledge(fixture, 3)
    await trim(fixture)
    assert.equal((await kept(fixture))[0], 6)
    // Nothing that is pending has lost its body.
    assert.deepEqual((await claimAll(fixture, 'desk', 'eve')).lost, [])
  })

  test('is held by the only pending entry', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    await readAndDie(fixture, 'ada', 10)
    await acknowledge(fixture, 1, 2, 4, 5, 6, 7, 8, 9, 10)
    await trim(fixture)
    assert.equal((await kept(fixture))[0], 3)
  })

  test('is held by a group that was moved back, though what it has pending lies ahead', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    await readAndDie(fixture, 'ada', 10)
    await acknowledge(fixture, 1, 2, 3, 4, 5, 6, 7)
    await fixture.redis.send('XGROUP', 'SETID', fixture.visits.key, 'desk', '4-0')
    await trim(fixture)
    assert.deepEqual(await kept(fixture), [4, 5, 6, 7, 8, 9, 10])
  })

  test('is held by a reader at its position, and by one that has not begun', async () => {
    const fixture = await freshGroup(bench())
    const { redis, prefix } = fixture
    const positionKey = `${prefix}:position`
    await appendVisits(fixture, 10)
    await process(fixture, 'desk', 10)
    const notBegun = await trim(fixture, { readers: [{ positionKey }] })
    assert.ok(notBegun.kind === 'trimmed')
    assert.deepEqual(notBegun.holder, { kind: 'position', positionKey, id: '0-0' })
    assert.equal(notBegun.removed, 0)
    await redis.send('SET', positionKey, '7-0')
    const behind = await trim(fixture, { readers: [{ positionKey, ifMissing: 'ignore' }] })
    assert.ok(behind.kind === 'trimmed')
    assert.deepEqual(behind.holder, { kind: 'position', positionKey, id: '7-0' })
    assert.deepEqual(await kept(fixture), [7, 8, 9, 10])
    await redis.send('DEL', positionKey)
    await trim(fixture, { readers: [{ positionKey, ifMissing: 'ignore' }] })
    assert.deepEqual(await kept(fixture), [10])
  })

  test('follows a reader where there is no group, and touches nothing where there is neither', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits, prefix } = fixture
    await appendVisits(fixture, 10)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    const readers = [{ positionKey: `${prefix}:position`, ifMissing: 'ignore' as const }]
    assert.deepEqual(await trim(fixture, { readers }), { kind: 'unread' })
    assert.deepEqual(await trim(fixture, { dryRun: true }), { kind: 'unread' })
    assert.equal((await kept(fixture)).length, 10)
    await redis.send('SET', `${prefix}:position`, '4-0')
    await trim(fixture, { readers })
    assert.equal((await kept(fixture))[0], 4)
  })

  test('keeps a reserve by count, to the entry', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 450)
    await process(fixture, 'desk', 450)
    for (const keepEntries of [1000, 450, 449, 301, 300, 123, 7, 1]) {
      const explained = await trim(fixture, { keepEntries, dryRun: true })
      const outcome = await trim(fixture, { keepEntries })
      assert.ok(outcome.kind === 'trimmed' && explained.kind === 'explained')
      assert.equal(outcome.remaining, Math.min(450, keepEntries))
      assert.equal(outcome.removed, explained.removable)
      assert.equal((await kept(fixture)).length, outcome.remaining)
    }
  })

  test("keeps a reserve by age, by the server's clock", async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    const [seconds] = (await redis.send('TIME')) as string[]
    const now = Number(seconds) * 1000
    const ages = [7_200_000, 3_700_000, 3_500_000, 1000]
    const additions = ages.map((age, n) => ({ values: visit(n), id: `${now - age}-0` }))
    await fixture.millrace.appendMany(visits, additions)
    await process(fixture, 'desk', 10)
    const outcome = await trim(fixture, { keepMs: 3_600_000 })
    assert.ok(outcome.kind === 'trimmed')
    assert.equal(outcome.removed, 2)
    assert.equal(outcome.frontier, `${now - 1000}-0`)
    assert.ok(Math.abs(Number(outcome.cut.replace('-0', '')) - (now - 3_600_000)) < 60_000)
    // The larger of two reserves counts.
    const both = await trim(fixture, { keepMs: 1, keepEntries: 2 })
    assert.ok(both.kind === 'trimmed' && both.removed === 0)
    // A reserve that is older than the clock keeps everything.
    const all = await trim(fixture, { keepMs: Number.MAX_SAFE_INTEGER })
    assert.ok(all.kind === 'trimmed' && all.removed === 0 && all.cut === '0-0')
  })

  test('removes in bounded steps, and a run can be ended between two', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 2000)
    await process(fixture, 'desk', 2000)
    const ended = await trim(fixture, { batch: 250, signal: AbortSignal.abort() })
    assert.ok(ended.kind === 'trimmed')
    assert.deepEqual([ended.removed, ended.calls], [250, 1])
    const outcome = await trim(fixture, { batch: 250 })
    assert.ok(outcome.kind === 'trimmed')
    assert.deepEqual([outcome.removed, outcome.remaining, outcome.calls], [1749, 1, 7])
  })

  test('goes on where it was when a reply is lost, and the stream counts all that went', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1000)
    await process(fixture, 'desk', 1000)
    // The server knows the script: so the next call is one EVALSHA, which is executed.
    await trim(fixture, { batch: 250, signal: AbortSignal.abort() })
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const millrace = await connectFor(t, { url: proxy.url })
    proxy.cutBeforeReply('EVALSHA')
    await assert.rejects(
      trim({ ...fixture, millrace }, { batch: 250 }),
      (error) => error instanceof MillraceError && error.code === 'DISCONNECTED',
    )
    assert.equal(proxy.cuts, 1)
    const outcome = await trim(fixture)
    assert.ok(outcome.kind === 'trimmed')
    assert.deepEqual([outcome.removed, outcome.remaining], [499, 1])
    const { redis, visits } = fixture
    assert.deepEqual(await redis.hash(streamLedger(visits.key)), { trimmed: '999' })
  })

  test('says clearly what it cannot trim', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits, prefix } = fixture
    const fails = async (code: string, pattern: RegExp, options?: TrimOptions): Promise<void> => {
      const isExpected = (error: unknown): boolean =>
        error instanceof MillraceError && error.code === code && pattern.test(error.message)
      await assert.rejects(trim(fixture, options), isExpected)
    }
    const readers = [{ positionKey: `${prefix}:position` }]
    for (const position of ['', 'x', '1', '1-', '-1', '1-1-1', '1'.repeat(40) + '-1']) {
      await redis.send('SET', `${prefix}:position`, position)
      await fails('WRONG_TYPE', /position of a reader is no entry id/, { readers })
    }
    await redis.send('DEL', `${prefix}:position`)
    await redis.send('HSET', `${prefix}:position`, 'a', 'b')
    await fails('WRONG_TYPE', /a key of another type/, { readers })
    await redis.send('DEL', visits.key)
    await fails('NO_STREAM', /Cannot trim stream "t\d+:visits": it does not exist/)
    await redis.send('SET', visits.key, 'text')
    await fails('WRONG_TYPE', /a key of another type/)
    for (const options of [{ keepEntries: -1 }, { keepMs: 1.5 }, { batch: 0 }, { batch: 10_001 }]) {
      await assert.rejects(trim(fixture, options), RangeError)
    }
  })
})

onEachServer(
  'trim with an append-only file',
  (bench) => {
    test('is the same after a restart of the server', async () => {
      const fixture = await freshGroup(bench())
      await appendVisits(fixture, 1000)
      await readAndDie(fixture, 'ada', 700)
      await acknowledge(fixture, ...Array.from({ length: 650 }, (_, n) => n + 1))
      await trim(fixture, { batch: 333, keepEntries: 360 })
      const entriesOf = async (client: Fixture['redis']): Promise<unknown> =>
        await client.send('XRANGE', fixture.visits.key, '-', '+')
      const before = await entriesOf(fixture.redis)
      assert.equal((before as unknown[]).length, 360)
      await bench().server.restart()
      assert.deepEqual(await entriesOf(await bench().server.client()), before)
    })
  },
  { appendonly: 'always' },
)
