/** Recovery of a group that was lost or moved: nothing counts twice, and what nobody can know becomes a dead letter. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { within } from '../../../testing/wait-for.ts'
import {
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
} from '../stage/fixture.ts'
import {
  appendMore,
  assertBalance,
  drained,
  halfDone,
  ledgerKey,
  patient,
  summary,
} from '../stage/lost-group.ts'

onEachServer('recovery', (bench) => {
  test('of a group that never settled anything delivers all, and counts nothing as settled', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await appendMore(fixture, 1, 3)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    const plan = await group.recovery()
    assert.deepEqual(summary(plan), ['no-group', '0-0', 3, 0])
    assert.deepEqual([plan.applied, plan.deadLettered], [0, 0])
  })

  test('of a destroyed group delivers what was never settled, and leaves the unknown to people', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    await appendMore(fixture, 101, 120)
    const plan = await group.recovery()
    assert.deepEqual(summary(plan), ['no-group', '100-0', 20, 10])
    assert.deepEqual(plan.firstUnknownIds, ['1-0', '2-0', '3-0', '4-0', '5-0'])
    assert.equal(plan.applied, 90)
    const outcome = await group.recover()
    const told = { condition: 'no-group', position: '100-0', lettersWritten: 10 }
    assert.deepEqual(outcome, { ...told, toDeliver: 20, unaccounted: 0 })
    assert.equal((await group.describe()).lag, 20)
    await assertBalance(fixture)
    await drained(t, fixture)
    assert.deepEqual(await effects(fixture), { guests: 110, rooms: 110 })
    assert.equal((await group.recovery()).condition, 'healthy')
    // Here the test knows what nobody could: none of them was applied.
    const { redriven } = await group.deadLetters.redrive({ all: true, reason: 'unknown' })
    assert.equal(redriven, 10)
    await drained(t, fixture)
    assert.deepEqual(await effects(fixture), { guests: 120, rooms: 120 })
    await assertBalance(fixture)
  })

  test('without a note of a sweep knows less, and still counts nothing twice', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture, { isNoted: false })
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    assert.deepEqual(summary(await group.recovery()), ['no-group', '100-0', 0, 100])
    assert.equal((await group.recover()).lettersWritten, 100)
    await drained(t, fixture)
    assert.deepEqual(await effects(fixture), { guests: 90, rooms: 90 })
    await assertBalance(fixture)
  })

  test('of a group that was created again at 0, or moved back, ignores what is pending now', async (t) => {
    for (const change of ['CREATE', 'SETID'] as const) {
      const fixture = await freshGroup(bench())
      const { redis, visits, group } = fixture
      await halfDone(t, fixture)
      if (change === 'CREATE') await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
      await redis.send('XGROUP', change, visits.key, 'desk', '0')
      await readAndDie(fixture, 'other', 50)
      const { ended } = startConsumer(t, fixture, 'two', { claimAfterMs: 100 })
      const error = await within(ended, { what: 'the consumer to refuse' })
      assert.ok(error instanceof MillraceError && error.code === 'GROUP_MOVED')
      assert.deepEqual(summary(await group.recovery()), ['moved-back', '100-0', 0, 10])
      assert.equal((await group.recover()).lettersWritten, 10)
      assert.equal((await group.describe()).pending, 0)
      await drained(t, fixture)
      assert.deepEqual(await effects(fixture), { guests: 90, rooms: 90 })
      await assertBalance(fixture)
    }
  })

  test('finds a group that was moved back behind a straggler, by what the sweep noted', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture)
    // Far from the oldest pending entry, and delivered again up to where it was.
    await redis.send('XGROUP', 'SETID', visits.key, 'desk', '90-0')
    await readAndDie(fixture, 'two', 10)
    const { ended } = startConsumer(t, fixture, 'two', patient)
    const error = await within(ended, { what: 'the consumer to refuse' })
    assert.ok(error instanceof MillraceError && error.code === 'GROUP_MOVED')
    assert.deepEqual(summary(await group.recovery()), ['moved-back', '100-0', 0, 10])
    assert.deepEqual(await effects(fixture), { guests: 90, rooms: 90 })
  })

  test('of a group that was moved forward delivers what it would have skipped', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture)
    await appendMore(fixture, 101, 120)
    await redis.send('XGROUP', 'SETID', visits.key, 'desk', '$')
    assert.deepEqual(summary(await group.recovery()), ['entries-missing', '100-0', 20, 0])
    assert.equal((await group.recover()).lettersWritten, 0)
    assert.equal((await group.describe()).pending, 10)
    await assertBalance(fixture)
    const { ended } = startConsumer(t, fixture, 'two', { claimAfterMs: 100, drain: true })
    assert.equal(await ended, undefined)
    assert.deepEqual(await effects(fixture), { guests: 120, rooms: 120 })
  })

  test('of a group that lost its oldest pending entries leaves these to people', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture)
    // One of them is pending still, so it is known not to have taken effect.
    await redis.send('XCLAIM', visits.key, 'desk', 'other', '0', '5-0', 'JUSTID')
    await redis.send('XGROUP', 'DELCONSUMER', visits.key, 'desk', 'dead')
    assert.deepEqual(summary(await group.recovery()), ['entries-missing', '100-0', 0, 9])
    assert.equal((await group.recover()).lettersWritten, 9)
    assert.equal((await group.describe()).pending, 1)
    await assertBalance(fixture)
    assert.equal((await group.recovery()).condition, 'healthy')
  })

  test('of a deleted stream goes on behind the ids that the ledger knows', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    const far = '99999999999999-0' // later than the server's clock
    await redis.send('XADD', visits.key, far, 'guest', '1', 'room', '1', 'stars', '1')
    await drained(t, fixture)
    await redis.send('DEL', visits.key)
    assert.deepEqual(summary(await group.recovery()), ['no-stream', far, 0, 0])
    await assert.rejects(group.create(), /GROUP_LOST|was there before/)
    await group.recover()
    const id = await fixture.millrace.append(visits, visit(1))
    assert.equal(id, '99999999999999-1')
    await drained(t, fixture)
    assert.deepEqual(await effects(fixture), { guests: 2, rooms: 2 })
    await assertBalance(fixture)
  })

  test('of a stream that was made anew takes no entry of it for settled', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture)
    await redis.send('DEL', visits.key)
    await appendMore(fixture, 50, 60)
    assert.deepEqual(summary(await group.recovery()), ['stream-made-anew', '100-0', 0, 11])
    assert.equal((await group.recover()).lettersWritten, 11)
    await assertBalance(fixture)
    await appendMore(fixture, 101, 105)
    await drained(t, fixture)
    await group.deadLetters.redrive({ all: true })
    await drained(t, fixture)
    assert.deepEqual(await effects(fixture), { guests: 106, rooms: 106 })
    await assertBalance(fixture)
  })

  test('makes nothing up after everything was lost', async (t) => {
    const fixture = await freshGroup(bench())
    await halfDone(t, fixture)
    const { stream, ledger, leases, holders } = groupKeys(fixture.visits.key, 'desk')
    await fixture.redis.send('DEL', stream, ledger, leases, holders)
    assert.deepEqual(summary(await fixture.group.recovery()), ['no-ledger', '0-0', 0, 0])
    await fixture.group.recover()
    assert.equal(await fixture.redis.send('EXISTS', stream, ledger), 0)
  })

  test('does nothing to a healthy group, not even amid its work', async (t) => {
    const fixture = await freshGroup(bench())
    const { group } = fixture
    assert.equal((await group.recovery()).condition, 'healthy')
    for (const name of ['a', 'b', 'c']) startConsumer(t, fixture, name, { batch: 7 })
    for (let n = 0; n < 60; n += 1) {
      await fixture.millrace.appendMany(
        fixture.visits,
        Array.from({ length: 50 }, (_, at) => ({ values: visit(at) })),
      )
      const { condition } = await group.recovery()
      assert.equal(condition, 'healthy')
    }
    const { lettersWritten } = await group.recover()
    assert.equal(lettersWritten, 0)
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 3000, rooms: 3000 })
  })

  test('is refused while consumers live, and writes nothing', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    const { leases, holders } = groupKeys(visits.key, 'desk')
    await redis.send('ZADD', leases, String(Date.now() + 5000), 'far')
    await redis.send('HSET', holders, 'far', JSON.stringify({ token: 'x', leaseMs: 7500 }))
    const before = await redis.hash(ledgerKey(fixture))
    await assert.rejects(
      group.recover(),
      (error) =>
        error instanceof MillraceError &&
        error.code === 'CONSUMER_ALIVE' &&
        error.message.includes('consumers are alive: "far"'),
    )
    assert.deepEqual(await redis.hash(ledgerKey(fixture)), before)
    assert.equal(await redis.send('EXISTS', fixture.dead), 0)
  })
})
