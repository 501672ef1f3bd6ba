/** Who may be swept, and what may be claimed from whom, as the scripts see it themselves: between two calls everything may have changed. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { appendVisits, readAndDie } from '../stage/fixture.ts'
import { guardStage } from '../stage/guard-stage.ts'

const lastId = '18446744073709551615-18446744073709551615'

/** `one` lives; `dead` has three pending entries, and a lease that has ended. */
async function deadStage(t: TestContext, bench: Bench) {
  const stage = await guardStage(t, bench)
  await appendVisits(stage, 6)
  await readAndDie(stage, 'dead', 3)
  await stage.hold('one', 'ours', 60_000)
  await stage.hold('dead', 'old', -10)
  return stage
}

const expired = [0, 0, '', ['dead', 'expired', 60_000]]
const nobody = [0, 0, '']

onOldestAndNewest('a sweep', (bench) => {
  test('names nobody while the group or the sweeper is paused', async (t) => {
    const { calls, unchanged } = await deadStage(t, bench())
    for (const name of ['', 'one']) {
      await calls.pause('pause', name)
      assert.deepEqual(await unchanged(() => calls.sweep('one')), [1, 0, ''])
      await calls.pause('resume', name)
    }
    assert.deepEqual(await calls.sweep('one'), expired)
  })

  test('names nobody while the own lease has ended: after an outage all have', async (t) => {
    const { calls, hold, redis, keys, unchanged } = await deadStage(t, bench())
    await hold('one', 'ours', -1)
    assert.deepEqual(await unchanged(() => calls.sweep('one')), nobody)
    await redis.send('ZREM', keys.leases, 'one')
    assert.deepEqual(await unchanged(() => calls.sweep('one')), nobody)
    await hold('one', 'ours', 60_000)
    assert.deepEqual(await calls.sweep('one'), expired)
  })

  test('names somebody for one sweeper a turn, and the turn ends', async (t) => {
    const { calls, hold, now, redis, keys } = await deadStage(t, bench())
    await hold('two', 'its', 60_000)
    const before = await now()
    assert.deepEqual(await calls.sweep('one'), expired)
    const turn = Number(await redis.send('ZSCORE', keys.leases, '@sweep'))
    assert.ok(turn >= before + 900 && turn <= (await now()) + 900)
    // As long as a turn can be; once more when the machine was so slow that it had ended by then.
    let from: number
    let answer: unknown
    do {
      from = await now()
      await redis.send('ZADD', keys.leases, from + 999, '@sweep')
      answer = await calls.sweep('two')
    } while ((await now()) >= from + 999)
    assert.deepEqual(answer, nobody)
    await redis.send('ZADD', keys.leases, from - 1, '@sweep')
    assert.deepEqual(await calls.sweep('two'), expired)
  })

  test('takes a turn that is longer than a turn can be for one from before the clock was set back', async (t) => {
    const { calls, redis, keys } = await deadStage(t, bench())
    await redis.send('ZADD', keys.leases, 9e12, '@sweep')
    assert.deepEqual(await calls.sweep('one'), expired)
  })

  test('without room for claims leaves the turn to another one', async (t) => {
    const { calls, unchanged } = await deadStage(t, bench())
    assert.deepEqual(await unchanged(() => calls.sweep('one', { hasRoom: 'no' })), nobody)
  })

  test('names neither the sweeper nor anybody whose lease runs', async (t) => {
    const stage = await deadStage(t, bench())
    await readAndDie(stage, 'one', 1)
    await readAndDie(stage, 'two', 1)
    await readAndDie(stage, 'unknown', 1)
    await stage.hold('two', 'its', 60_000)
    const unleased = ['unknown', 'no-lease', 0]
    assert.deepEqual(await stage.calls.sweep('one'), [...expired, unleased])
  })

  test('names the parking place of retries only where the schedule is lost', async (t) => {
    const { calls, hold, redis, keys } = await deadStage(t, bench())
    await redis.send('XCLAIM', keys.stream, 'desk', 'retry', '0', '1-0', '2-0', '3-0')
    const later = ['9e12', '1-0', '9e12', '2-0', '9e12', '3-0']
    await redis.send('ZADD', keys.retries, ...later)
    const [, , next, ...names] = await calls.sweep('one')
    assert.ok(Number(next) > 0)
    assert.deepEqual(names, [])
    await redis.send('ZREM', keys.retries, '3-0')
    await redis.send('ZREM', keys.leases, '@sweep')
    await hold('one', 'ours', 60_000)
    assert.deepEqual((await calls.sweep('one')).slice(3), [['retry', 'no-lease', 0]])
  })

  test('forgets schedule and attempts once nothing is pending, and no key of another type', async (t) => {
    const { calls, redis, keys } = await deadStage(t, bench())
    const sweepAgain = async (): Promise<unknown> => {
      await redis.send('ZREM', keys.leases, '@sweep')
      await calls.sweep('one')
      return await redis.send('EXISTS', keys.retries, keys.attempts)
    }
    await redis.send('ZADD', keys.retries, '1', '1-0')
    await redis.send('HSET', keys.attempts, '1-0', '1:5')
    assert.equal(await sweepAgain(), 2)
    await redis.send('XACK', keys.stream, 'desk', '1-0', '2-0', '3-0')
    assert.equal(await sweepAgain(), 0)
    await redis.send('SET', keys.attempts, 'of somebody else')
    assert.equal(await sweepAgain(), 1)
  })
})

onOldestAndNewest('a claim', (bench) => {
  test('takes nothing from an owner that has come back since the sweep', async (t) => {
    const { calls, hold, pending, unchanged } = await deadStage(t, bench())
    await hold('dead', 'back again', 60_000)
    assert.deepEqual(await unchanged(() => calls.claim('one', 'dead')), ['', [], []])
    await hold('dead', 'back again', -1)
    assert.equal(((await calls.claim('one', 'dead'))[1] as []).length, 3)
    assert.deepEqual(new Set((await pending()).map(([, name]) => name)), new Set(['one']))
  })

  test('takes nothing from anybody but the one that was swept', async (t) => {
    const stage = await deadStage(t, bench())
    await readAndDie(stage, 'two', 3)
    await stage.calls.claim('one', 'dead')
    const owners = (await stage.pending()).map(([, name]) => name)
    assert.deepEqual(owners, ['one', 'one', 'one', 'two', 'two', 'two'])
  })

  test('takes nothing that was not idle for as long as asked', async (t) => {
    const { calls, redis, keys, unchanged } = await deadStage(t, bench())
    const young = () => calls.claim('one', 'dead', { idleMs: 3_600_000 })
    assert.deepEqual(await unchanged(young), ['', [], []])
    const old = ['IDLE', '3600000', 'JUSTID']
    await redis.send('XCLAIM', keys.stream, 'desk', 'dead', '0', '2-0', ...old)
    const [, entries] = await young()
    assert.deepEqual(
      (entries as [string][]).map(([id]) => id),
      ['2-0'],
    )
  })

  test('takes nothing of a group that was moved back', async (t) => {
    const { calls, redis, keys, unchanged } = await deadStage(t, bench())
    await redis.send('HSET', keys.ledger, 'moved', '1')
    const answer = await unchanged(() => calls.claim('one', 'dead'))
    assert.deepEqual(answer, ['error', 'moved-back'])
  })

  test('takes nothing while the dead letters have no place', async (t) => {
    const { calls, redis, keys, unchanged } = await deadStage(t, bench())
    await redis.send('XDEL', keys.stream, '1-0')
    await redis.send('SET', keys.deadLetters, 'text')
    const answer = await unchanged(() => calls.claim('one', 'dead'))
    assert.deepEqual(answer, ['error', `wrong-type string ${keys.deadLetters}`])
  })

  test('ends behind the last possible id', async (t) => {
    const { calls, unchanged } = await deadStage(t, bench())
    const behind = () => calls.claim('one', 'dead', { after: lastId })
    assert.deepEqual(await unchanged(behind), ['', [], []])
  })
})

onOldestAndNewest('giving back', (bench) => {
  test('leaves entries alone that another consumer has by now', async (t) => {
    const { calls, redis, keys, unchanged } = await deadStage(t, bench())
    await redis.send('XCLAIM', keys.stream, 'desk', 'two', '0', '2-0')
    assert.deepEqual(await unchanged(() => calls.setIdle('dead', '2-0')), [1])
    assert.deepEqual(await unchanged(() => calls.setIdle('dead', '6-0')), [1])
  })

  test('keeps an entry pending whose body is gone: a claim will tell of it', async (t) => {
    const { calls, redis, keys, pending } = await deadStage(t, bench())
    await redis.send('XDEL', keys.stream, '2-0')
    assert.deepEqual(await calls.setIdle('dead', '1-0', '2-0', '3-0'), [3])
    assert.deepEqual(await pending(), [
      ['1-0', 'dead'],
      ['2-0', 'dead'],
      ['3-0', 'dead'],
    ])
    const idle = await redis.send('XPENDING', keys.stream, 'desk', 'IDLE', 5_000_000, '-', '+', 9)
    assert.deepEqual(
      (idle as [string][]).map(([id]) => id),
      ['1-0', '3-0'],
    )
  })
})
