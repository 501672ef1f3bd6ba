/** What may be parked for a retry and taken when it is due, when somebody else, or the clock, has been there first. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { appendVisits, readAndDie } from '../stage/fixture.ts'
import { guardStage } from '../stage/guard-stage.ts'

/** `one` lives, and has three pending entries. */
async function failingStage(t: TestContext, bench: Bench) {
  const stage = await guardStage(t, bench)
  await appendVisits(stage, 3)
  await readAndDie(stage, 'one', 3)
  await stage.hold('one', 'ours', 60_000)
  return stage
}

/** All three are parked and due. */
async function dueStage(t: TestContext, bench: Bench) {
  const stage = await failingStage(t, bench)
  const { redis, keys } = stage
  for (const [at, id] of ['1-0', '2-0', '3-0'].entries()) {
    await stage.calls.retry('one', 'ours', id)
    await redis.send('ZADD', keys.retries, at + 1, id)
  }
  return stage
}

const idsOf = (entries: unknown): string[] => (entries as [string][]).map(([id]) => id)

onOldestAndNewest('scheduling a retry', (bench) => {
  test('is refused to a process whose name another one has by now', async (t) => {
    const { calls, redis, keys, unchanged } = await failingStage(t, bench())
    const answer = await unchanged(() => calls.retry('one', 'old', '1-0'))
    assert.deepEqual(answer, ['superseded'])
    await redis.send('HDEL', keys.holders, 'one')
    assert.deepEqual(await unchanged(() => calls.retry('one', 'ours', '1-0')), ['superseded'])
  })

  test('takes no entry from another consumer, nor one that is settled', async (t) => {
    const { calls, redis, keys, unchanged } = await failingStage(t, bench())
    await redis.send('XCLAIM', keys.stream, 'desk', 'two', '0', '1-0')
    await redis.send('XACK', keys.stream, 'desk', '2-0')
    for (const id of ['1-0', '2-0']) {
      assert.deepEqual(await unchanged(() => calls.retry('one', 'ours', id)), ['gone'])
    }
    assert.deepEqual(await calls.retry('one', 'ours', '3-0'), ['scheduled'])
  })

  test('keeps an entry pending whose body is gone', async (t) => {
    const { calls, redis, keys, unchanged } = await failingStage(t, bench())
    await redis.send('XDEL', keys.stream, '1-0')
    assert.deepEqual(await unchanged(() => calls.retry('one', 'ours', '1-0')), ['lost'])
  })

  test('parks nothing while schedule or attempts have another type', async (t) => {
    const { calls, redis, keys, unchanged } = await failingStage(t, bench())
    for (const key of [keys.attempts, keys.retries]) {
      await redis.send('SET', key, 'text')
      const answer = await unchanged(() => calls.retry('one', 'ours', '1-0'))
      assert.deepEqual(answer, ['error', `wrong-type string ${key}`])
    }
  })
})

onOldestAndNewest('taking what is due', (bench) => {
  test('takes nothing that somebody has moved or acknowledged meanwhile', async (t) => {
    const { calls, redis, keys, pending } = await dueStage(t, bench())
    await redis.send('XCLAIM', keys.stream, 'desk', 'two', '0', '1-0')
    await redis.send('XACK', keys.stream, 'desk', '2-0')
    const [, entries, lost] = await calls.takeDue('one')
    assert.deepEqual([idsOf(entries), lost], [['3-0'], []])
    assert.deepEqual(await pending(), [
      ['1-0', 'two'],
      ['3-0', 'one'],
    ])
    // They are due no more for anybody.
    assert.equal(await redis.send('EXISTS', keys.retries), 0)
  })

  test('takes nothing before its time, and nothing beyond the count', async (t) => {
    const { calls, redis, keys, unchanged } = await dueStage(t, bench())
    assert.deepEqual(idsOf((await calls.takeDue('one', 2))[1]), ['1-0', '2-0'])
    await calls.retry('one', 'ours', '1-0')
    await calls.retry('one', 'ours', '2-0')
    await redis.send('ZREM', keys.retries, '3-0')
    const [next, entries] = await unchanged(() => calls.takeDue('one'))
    assert.deepEqual(entries, [])
    assert.ok(Number(next) > 0 && Number(next) <= 60_000, String(next))
  })

  test('takes a retry at once that would wait for longer than it was told to', async (t) => {
    const { calls, redis, keys } = await failingStage(t, bench())
    await calls.retry('one', 'ours', '1-0')
    // As if the clock had been an hour ahead then.
    await redis.send('ZINCRBY', keys.retries, '3600000', '1-0')
    assert.deepEqual(idsOf((await calls.takeDue('one'))[1]), ['1-0'])
  })

  test('takes nothing of a group that was moved back', async (t) => {
    const { calls, redis, keys, unchanged } = await dueStage(t, bench())
    await redis.send('HSET', keys.ledger, 'recovering', '1')
    assert.deepEqual(await unchanged(() => calls.takeDue('one')), ['error', 'moved-back'])
  })

  test('takes nothing while dead letters or schedule have another type', async (t) => {
    const { calls, redis, keys, unchanged } = await dueStage(t, bench())
    for (const key of [keys.deadLetters, keys.retries]) {
      await redis.send('SET', key, 'text')
      const answer = await unchanged(() => calls.takeDue('one'))
      assert.deepEqual(answer, ['error', `wrong-type string ${key}`])
    }
  })

  test('throws out what is no id, and takes the others', async (t) => {
    const { calls, redis, keys } = await dueStage(t, bench())
    await redis.send('ZADD', keys.retries, '2', 'of somebody else')
    const [, entries, lost] = await calls.takeDue('one')
    assert.deepEqual([idsOf(entries), lost], [['1-0', '2-0', '3-0'], []])
    assert.equal(await redis.send('EXISTS', keys.retries), 0)
  })

  test('makes a dead letter of an entry whose body is gone, and counts it, once', async (t) => {
    const { calls, redis, keys, pending } = await dueStage(t, bench())
    // In the order in which they were due, the greatest is neither the first nor the last.
    await redis.send('ZADD', keys.retries, '1', '1-0', '2', '3-0', '3', '2-0')
    await redis.send('XDEL', keys.stream, '1-0', '2-0', '3-0')
    const [, entries, lost] = await calls.takeDue('one')
    assert.deepEqual([entries, lost], [[], ['1-0', '3-0', '2-0']])
    assert.deepEqual(await pending(), [])
    assert.equal(await redis.send('XLEN', keys.deadLetters), 3)
    const counted = await redis.send('HMGET', keys.ledger, 'deadLettered', 'top')
    assert.deepEqual(counted, ['3', '3-0'])
    assert.deepEqual((await calls.takeDue('one')).slice(1), [[], []])
    assert.equal(await redis.send('XLEN', keys.deadLetters), 3)
  })
})
