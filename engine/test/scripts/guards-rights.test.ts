/** Each script has all rights that it needs before its first write: what is refused amid a script stays half done. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { appendVisits, readAndDie } from '../stage/fixture.ts'
import type { Reply } from '../../src/redis/connection.ts'
import { guardStage, type Calls, type GuardStage } from '../stage/guard-stage.ts'

/** `one` lives and has three entries, of which one has no body; `dead` has as many, and no lease. */
async function busyStage(t: TestContext, bench: Bench) {
  const stage = await guardStage(t, bench)
  await appendVisits(stage, 9)
  await readAndDie(stage, 'one', 3)
  await readAndDie(stage, 'dead', 3)
  await stage.hold('one', 'ours', 60_000)
  await stage.redis.send('XDEL', stage.keys.stream, '3-0', '6-0')
  return stage
}

/** Asserts that a call names each of these rights when a user lacks it, and changes nothing then, and goes through with all of them. */
async function needs(
  stage: GuardStage,
  rights: readonly string[],
  call: (calls: Calls) => Promise<Reply[]>,
): Promise<void> {
  for (const right of rights) {
    const limited = await stage.as('+@all', `-${right.toLowerCase().replace(' ', '|')}`)
    const answer = await stage.unchanged(() => call(limited))
    assert.deepEqual(answer, ['error', `no-permission ${right}`])
  }
  assert.notEqual((await call(stage.calls))[0], 'error')
}

onOldestAndNewest('the rights', (bench) => {
  test('of a lease are there before it is taken', async (t) => {
    const stage = await busyStage(t, bench())
    await needs(stage, ['ZADD', 'ZREM', 'HSET', 'HDEL'], (calls) =>
      calls.lease('release', 'one', 'ours'),
    )
  })

  test('of a pause are there before it is made', async (t) => {
    const stage = await busyStage(t, bench())
    const rights = ['ZADD', 'ZREM', 'HSET', 'HDEL']
    await needs(stage, rights, (calls) => calls.pause('pause', 'one'))
    await needs(stage, rights, (calls) => calls.pause('resume', 'one'))
  })

  test('of a sweep are there before it takes the turn', async (t) => {
    const stage = await busyStage(t, bench())
    await needs(stage, ['ZADD'], (calls) => calls.sweep('one'))
  })

  test('of a sweep that cannot forget leave schedule and attempts in place', async (t) => {
    const stage = await busyStage(t, bench())
    const { redis, keys } = stage
    await redis.send('XACK', keys.stream, 'desk', ...[1, 2, 3, 4, 5, 6].map((n) => `${n}-0`))
    await redis.send('ZADD', keys.retries, '1', '1-0')
    const limited = await stage.as('+@all', '-del')
    assert.deepEqual(await limited.sweep('one'), [0, 0, 0])
    assert.equal(await redis.send('EXISTS', keys.retries), 1)
  })

  test('of a claim are there before an entry without a body leaves the list', async (t) => {
    const stage = await busyStage(t, bench())
    await needs(stage, ['XCLAIM', 'XADD', 'HSET'], (calls) => calls.claim('one', 'dead'))
  })

  test('of giving back are there before it begins', async (t) => {
    const stage = await busyStage(t, bench())
    await needs(stage, ['XCLAIM'], (calls) => calls.setIdle('one', '1-0'))
  })

  test('of a retry are there before its entry is parked', async (t) => {
    const stage = await busyStage(t, bench())
    const rights = ['XCLAIM', 'ZADD', 'HSET']
    await needs(stage, rights, (calls) => calls.retry('one', 'ours', '1-0'))
  })

  test('of taking what is due are there before the first entry is taken', async (t) => {
    const stage = await busyStage(t, bench())
    const { redis, keys } = stage
    await redis.send('XCLAIM', keys.stream, 'desk', 'retry', '0', '1-0', '2-0', 'JUSTID')
    await redis.send('XDEL', keys.stream, '2-0')
    await redis.send('ZADD', keys.retries, '1', '1-0', '2', '2-0')
    const rights = ['XCLAIM', 'ZREM', 'XACK', 'XADD', 'HSET']
    await needs(stage, rights, (calls) => calls.takeDue('one'))
  })

  test('of removing the empty are there before the first one goes', async (t) => {
    const stage = await busyStage(t, bench())
    await stage.redis.send('XGROUP', 'CREATECONSUMER', stage.keys.stream, 'desk', 'empty')
    await stage.hold('empty', 'gone', -10)
    const rights = ['XGROUP DELCONSUMER', 'ZREM', 'HDEL']
    await needs(stage, rights, (calls) => calls.removeEmpty(1, 'empty'))
  })

  test('of removing a consumer are there before its first entry is moved', async (t) => {
    const stage = await busyStage(t, bench())
    const rights = ['XCLAIM', 'XACK', 'XGROUP DELCONSUMER', 'ZREM', 'HDEL', 'XADD', 'HSET']
    await needs(stage, rights, (calls) => calls.removeConsumer('dead'))
  })

  test('of push-down are there before its first dead letter', async (t) => {
    const stage = await busyStage(t, bench())
    await stage.redis.send('XADD', stage.keys.stream, '10-0', 'guest', 'nobody')
    const rights = ['XREADGROUP', 'XGROUP SETID', 'XADD', 'HSET', 'HMGET']
    await needs(stage, rights, (calls) => calls.pushDown('one'))
  })
})
