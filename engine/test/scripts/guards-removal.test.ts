/** Consumers are removed only when they are gone and empty, seen in the call that removes them: else what is pending for them would be lost. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { appendVisits, readAndDie } from '../stage/fixture.ts'
import { guardStage } from '../stage/guard-stage.ts'

/** `dead` has three pending entries and no lease, `empty` neither. */
async function goneStage(t: TestContext, bench: Bench) {
  const stage = await guardStage(t, bench)
  const { redis, keys } = stage
  await appendVisits(stage, 3)
  await readAndDie(stage, 'dead', 3)
  await redis.send('XGROUP', 'CREATECONSUMER', keys.stream, 'desk', 'empty')
  const names = async (): Promise<unknown[]> => {
    const consumers = (await redis.send('XINFO', 'CONSUMERS', keys.stream, 'desk')) as unknown[][]
    return consumers.map(([, name]) => name)
  }
  return { ...stage, names }
}

onOldestAndNewest('removing the empty', (bench) => {
  test('keeps one that has got pending entries since it was listed', async (t) => {
    const { calls, names, unchanged } = await goneStage(t, bench())
    assert.deepEqual(await unchanged(() => calls.removeEmpty(0, 'dead')), [0])
    assert.deepEqual(await calls.removeEmpty(0, 'dead', 'empty'), [1])
    assert.deepEqual(await names(), ['dead'])
  })

  test('keeps one that has come back since it was listed', async (t) => {
    const { calls, hold, unchanged } = await goneStage(t, bench())
    await hold('empty', 'back again', 60_000)
    assert.deepEqual(await unchanged(() => calls.removeEmpty(-9e12, 'empty')), [0])
  })

  test('keeps one whose lease has ended, for as long as it is told', async (t) => {
    const { calls, hold, names, redis, keys, unchanged } = await goneStage(t, bench())
    await hold('empty', 'gone', -10)
    assert.deepEqual(await unchanged(() => calls.removeEmpty(3_600_000, 'empty')), [0])
    assert.deepEqual(await calls.removeEmpty(5, 'empty'), [1])
    assert.deepEqual(await names(), ['dead'])
    assert.equal(await redis.send('EXISTS', keys.leases, keys.holders), 0)
  })

  test('leaves the pause of a name in place', async (t) => {
    const { calls, hold, redis, keys } = await goneStage(t, bench())
    await hold('empty', 'gone', -10)
    await calls.pause('pause', 'empty')
    assert.deepEqual(await calls.removeEmpty(5, 'empty'), [1])
    assert.deepEqual(await redis.send('ZRANGE', keys.leases, '0', '-1'), ['@paused:empty'])
    assert.deepEqual(await redis.send('HKEYS', keys.holders), ['@paused:empty'])
  })
})

onOldestAndNewest('removing a consumer', (bench) => {
  test('is refused while its lease runs', async (t) => {
    const { calls, hold, unchanged } = await goneStage(t, bench())
    await hold('dead', 'alive', 60_000)
    const [kind, left] = await unchanged(() => calls.removeConsumer('dead'))
    assert.equal(kind, 'alive')
    assert.ok(Number(left) > 0 && Number(left) <= 60_000)
  })

  test('keeps it while a step has left entries with it', async (t) => {
    const { calls, names, pending } = await goneStage(t, bench())
    assert.deepEqual(await calls.removeConsumer('dead', 2), ['moved', 2])
    assert.deepEqual(await pending(), [
      ['1-0', 'unassigned'],
      ['2-0', 'unassigned'],
      ['3-0', 'dead'],
    ])
    assert.deepEqual(await calls.removeConsumer('dead', 2), ['removed', 1])
    assert.deepEqual(await names(), ['empty', 'unassigned'])
    assert.equal((await pending()).length, 3)
  })

  test('makes no consumer of a name that there is not', async (t) => {
    const { calls, unchanged } = await goneStage(t, bench())
    assert.deepEqual(await unchanged(() => calls.removeConsumer('nobody')), ['missing'])
  })

  test('makes a dead letter of an entry whose body is gone, and counts it', async (t) => {
    const { calls, redis, keys, pending } = await goneStage(t, bench())
    await redis.send('XDEL', keys.stream, '2-0')
    assert.deepEqual(await calls.removeConsumer('dead'), ['removed', 2])
    assert.deepEqual(
      (await pending()).map(([id]) => id),
      ['1-0', '3-0'],
    )
    assert.equal(await redis.send('XLEN', keys.deadLetters), 1)
    assert.equal(await redis.send('HGET', keys.ledger, 'deadLettered'), '1')
  })

  test('moves nothing of a group that was moved back', async (t) => {
    const { calls, redis, keys, unchanged } = await goneStage(t, bench())
    await redis.send('HSET', keys.ledger, 'moved', '1')
    const answer = await unchanged(() => calls.removeConsumer('dead'))
    assert.deepEqual(answer, ['error', 'moved-back'])
  })

  test('moves nothing while the dead letters have no place', async (t) => {
    const { calls, redis, keys, unchanged } = await goneStage(t, bench())
    await redis.send('SET', keys.deadLetters, 'text')
    const answer = await unchanged(() => calls.removeConsumer('dead'))
    assert.deepEqual(answer, ['error', `wrong-type string ${keys.deadLetters}`])
  })
})
