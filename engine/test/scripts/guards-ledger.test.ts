/** What the ledger keeps from being settled twice, each of its ways to see it by itself: they cover one another, so none is missed alone. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { appendVisits, effects, readAndDie } from '../stage/fixture.ts'
import { guardStage, settledVisits, type GuardStage } from '../stage/guard-stage.ts'

const isMoved = { code: 'GROUP_MOVED' }

/** Nine entries, of which `one`, who lives, has five. */
async function fiveOfNine(t: TestContext, bench: Bench): Promise<GuardStage> {
  const stage = await guardStage(t, bench)
  await appendVisits(stage, 9)
  await readAndDie(stage, 'one', 5)
  await stage.hold('one', 'ours', 60_000)
  return stage
}

/** Makes an entry pending for `one` again, as a group that was moved back would, without moving it. */
async function redeliver({ redis, keys }: GuardStage, id: string): Promise<void> {
  await redis.send('XCLAIM', keys.stream, 'desk', 'one', '0', id, 'FORCE', 'JUSTID')
}

/** Sweeps, whoever has the turn, and returns what is noted then. */
async function noted({ calls, redis, keys }: GuardStage): Promise<unknown> {
  await redis.send('ZREM', keys.leases, '@sweep')
  assert.notEqual((await calls.sweep('one'))[0], 'error')
  return await redis.send('HMGET', keys.ledger, 'pendingUpTo', 'pendingIds')
}

onOldestAndNewest('the ledger', (bench) => {
  test('keeps all from being settled once the group was moved back, or while a recovery is unfinished', async (t) => {
    const stage = await fiveOfNine(t, bench())
    const { calls, redis, keys, unchanged } = stage
    for (const mark of ['moved', 'recovering']) {
      await redis.send('HSET', keys.ledger, mark, '1')
      await assert.rejects(
        unchanged(() => calls.gate('one', settledVisits(1))),
        isMoved,
      )
      for (const call of [() => calls.claim('two', 'one'), () => calls.pushDown('two')]) {
        assert.deepEqual(await unchanged(call), ['error', 'moved-back'])
      }
      await redis.send('HDEL', keys.ledger, mark)
    }
    assert.equal((await calls.gate('one', settledVisits(1))).kind, 'applied')
  })

  test('knows by the last delivered id that the group was moved back, and keeps it in mind', async (t) => {
    const { calls, redis, keys } = await fiveOfNine(t, bench())
    await calls.gate('one', settledVisits(5))
    await redis.send('XGROUP', 'SETID', keys.stream, 'desk', '4-0')
    assert.deepEqual(await calls.claim('two', 'one'), ['error', 'moved-back'])
    // Moved on again, it looks as before.
    await redis.send('XGROUP', 'SETID', keys.stream, 'desk', '5-0')
    assert.deepEqual(await calls.claim('two', 'one'), ['error', 'moved-back'])
  })

  test('knows that what lies before the first pending entry is settled', async (t) => {
    const stage = await fiveOfNine(t, bench())
    await stage.calls.gate('one', settledVisits(2))
    await redeliver(stage, '1-0')
    await assert.rejects(stage.calls.gate('one', settledVisits(1)), isMoved)
    assert.equal((await effects(stage)).guests, 2)
  })

  test('knows that what the last sweep did not see pending is settled, and nothing behind that', async (t) => {
    const stage = await fiveOfNine(t, bench())
    const { calls } = stage
    await calls.gate('one', settledVisits(2, 1))
    assert.deepEqual(await noted(stage), ['5-0', '1-0 4-0 5-0'])
    await readAndDie(stage, 'one', 1)
    const seenAndNew = [...settledVisits(1, 3), ...settledVisits(1, 5)]
    assert.equal((await calls.gate('one', seenAndNew)).kind, 'applied')
    await redeliver(stage, '2-0')
    await assert.rejects(calls.gate('one', settledVisits(1, 1)), isMoved)
    assert.equal((await effects(stage)).guests, 4)
  })

  test('never forgets the greatest id that was settled', async (t) => {
    const stage = await fiveOfNine(t, bench())
    const { calls, redis, keys } = stage
    for (const at of [4, 0, 1, 2, 3]) await calls.gate('one', settledVisits(1, at))
    assert.deepEqual(await redis.send('HMGET', keys.ledger, 'top', 'firstPending'), ['5-0', ''])
    await redeliver(stage, '5-0')
    await assert.rejects(calls.gate('one', settledVisits(1, 4)), isMoved)
  })

  test('with values that are none of ours is read as if they were not there', async (t) => {
    const { calls, redis, keys } = await fiveOfNine(t, bench())
    const places = ['top', 'first', 'delivered', '7', 'firstPending', 'x', 'pendingUpTo', '-']
    await redis.send('HSET', keys.ledger, 'applied', 'many', 'deadLettered', '', ...places)
    assert.equal((await calls.gate('one', settledVisits(2))).kind, 'applied')
    const kept = await redis.send('HMGET', keys.ledger, 'applied', 'deadLettered', 'top')
    assert.deepEqual(kept, ['2', '0', '2-0'])
  })

  test('of another type keeps all from being settled', async (t) => {
    const { calls, redis, keys, unchanged } = await fiveOfNine(t, bench())
    await redis.send('DEL', keys.ledger)
    await redis.send('SET', keys.ledger, 'text')
    const gated = unchanged(() => calls.gate('one', settledVisits(1)))
    await assert.rejects(gated, { message: new RegExp(`"${keys.ledger}"`) })
  })
})

onOldestAndNewest('what a sweep notes', (bench) => {
  test('is nothing before the ledger has begun', async (t) => {
    const stage = await fiveOfNine(t, bench())
    await stage.redis.send('HDEL', stage.keys.ledger, 'since')
    assert.deepEqual(await noted(stage), [null, null])
    await stage.calls.gate('one', settledVisits(1))
    assert.deepEqual(await noted(stage), ['5-0', '2-0 3-0 4-0 5-0'])
  })

  test('stays while a recovery is unfinished', async (t) => {
    const stage = await fiveOfNine(t, bench())
    const before = await noted(stage)
    await stage.redis.send('XACK', stage.keys.stream, 'desk', '2-0')
    await stage.redis.send('HSET', stage.keys.ledger, 'recovering', '1')
    assert.deepEqual(await noted(stage), before)
  })

  test('stays where the last delivered id has gone back', async (t) => {
    const stage = await fiveOfNine(t, bench())
    await stage.calls.gate('one', settledVisits(1))
    const before = await noted(stage)
    await stage.redis.send('XGROUP', 'SETID', stage.keys.stream, 'desk', '4-0')
    assert.deepEqual(await noted(stage), before)
  })

  test('stays where something is pending that was settled', async (t) => {
    const stage = await fiveOfNine(t, bench())
    await stage.calls.gate('one', settledVisits(3))
    const before = await noted(stage)
    await redeliver(stage, '2-0')
    assert.deepEqual(await noted(stage), before)
  })

  test('stays without the right to write it, and the sweep goes on', async (t) => {
    const stage = await fiveOfNine(t, bench())
    await readAndDie(stage, 'dead', 1)
    const limited = await stage.as('+@all', '-hset')
    const [, , , ...names] = await limited.sweep('one')
    assert.deepEqual(names, [['dead', 'no-lease', 0]])
    assert.equal(await stage.redis.send('HGET', stage.keys.ledger, 'pendingUpTo'), null)
  })
})
