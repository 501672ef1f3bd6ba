/** Who may have a name, and what a pause leaves alone, as the scripts see it in the call that writes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { guardStage } from '../stage/guard-stage.ts'

onOldestAndNewest('a lease', (bench) => {
  test('is not taken while that of another one runs', async (t) => {
    const { calls, unchanged } = await guardStage(t, bench())
    assert.deepEqual(await calls.lease('take', 'one', 'first'), ['ours', 0])
    const [kind, holder, left] = await unchanged(() => calls.lease('take', 'one', 'second'))
    assert.deepEqual([kind, holder], ['held', '{"token":"first","leaseMs":60000}'])
    assert.ok(Number(left) > 0 && Number(left) <= 60_000)
    // Whoever has it may take it again: the reply to the first take was lost.
    assert.equal((await calls.lease('take', 'one', 'first'))[0], 'ours')
  })

  test('is neither renewed nor released by one whose name another one has', async (t) => {
    const { calls, hold, unchanged } = await guardStage(t, bench())
    await hold('one', 'of its successor', 60_000)
    for (const action of ['renew', 'release']) {
      assert.deepEqual(await unchanged(() => calls.lease(action, 'one', 'old')), ['lost'])
    }
  })

  test('that is gone is not renewed', async (t) => {
    const { calls, unchanged } = await guardStage(t, bench())
    for (const action of ['renew', 'release']) {
      assert.deepEqual(await unchanged(() => calls.lease(action, 'one', 'ours')), ['lost'])
    }
  })

  test('is taken at once from a dead holder, but not from who came after it', async (t) => {
    const { calls, hold, unchanged } = await guardStage(t, bench())
    await hold('one', 'third', 60_000)
    const late = await unchanged(() => calls.lease('take', 'one', 'second', { dead: 'first' }))
    assert.equal(late[0], 'held')
    const taken = await calls.lease('take', 'one', 'second', { dead: 'third' })
    assert.equal(taken[0], 'ours')
  })

  test('is free once it has ended', async (t) => {
    const { calls, hold, redis, keys } = await guardStage(t, bench())
    await hold('one', 'first', -1)
    const [kind, left] = await calls.lease('take', 'one', 'second')
    assert.ok(kind === 'ours' && Number(left) < 0)
    const holder = String(await redis.send('HGET', keys.holders, 'one'))
    assert.equal(holder, '{"token":"second","leaseMs":60000}')
  })

  test('that runs for longer than it lasts was given before the clock was set back: it is free', async (t) => {
    const { calls, redis, keys } = await guardStage(t, bench())
    await calls.lease('take', 'one', 'first')
    await redis.send('ZADD', keys.leases, '9e12', 'one')
    assert.deepEqual(await calls.lease('take', 'one', 'second'), ['ours', 0])
  })

  test('with a record that is none of ours is held by nobody', async (t) => {
    const { calls, hold, redis, keys } = await guardStage(t, bench())
    for (const record of ['{', '"text"', '7', 'null', '[]', '{"token":"x","leaseMs":"soon"}']) {
      await hold('one', 'first', 60_000)
      await redis.send('HSET', keys.holders, 'one', record)
      assert.deepEqual(await calls.lease('take', 'one', 'second'), ['ours', 0])
    }
  })

  test('is not written while leases or holders have another type', async (t) => {
    const { calls, redis, keys, unchanged } = await guardStage(t, bench())
    for (const key of [keys.leases, keys.holders]) {
      await redis.send('SET', key, 'text')
      const answer = await unchanged(() => calls.lease('take', 'one', 'ours'))
      assert.deepEqual(answer, ['error', `wrong-type string ${key}`])
    }
  })
})

onOldestAndNewest('a pause', (bench) => {
  test('that is there keeps its time and its maker', async (t) => {
    const { calls, redis, keys, unchanged } = await guardStage(t, bench())
    await calls.lease('take', 'one', 'ours')
    for (const name of ['', 'one']) {
      const [kind, since] = await calls.pause('pause', name, '{"user":"ada"}')
      assert.equal(kind, 'paused')
      // Whenever that was: no second one says the same.
      await redis.send('ZADD', keys.leases, Number(since) - 5000, `@paused:${name}`)
      const again = await unchanged(() => calls.pause('pause', name, '{"user":"eve"}'))
      assert.deepEqual(again, ['already', String(Number(since) - 5000), '{"user":"ada"}'])
    }
  })

  test('is not made for a consumer that there is not', async (t) => {
    const { calls, redis, keys, unchanged } = await guardStage(t, bench())
    assert.deepEqual(await unchanged(() => calls.pause('pause', 'nobody')), ['missing'])
    await redis.send('XGROUP', 'CREATECONSUMER', keys.stream, 'desk', 'somebody')
    assert.equal((await calls.pause('pause', 'somebody'))[0], 'paused')
  })

  test('ends alone: that of the group ends none of a consumer', async (t) => {
    const { calls, redis, keys } = await guardStage(t, bench())
    await calls.lease('take', 'one', 'ours')
    for (const name of ['', 'one']) await calls.pause('pause', name)
    assert.deepEqual(await calls.pause('resume', ''), ['resumed'])
    assert.deepEqual(await calls.pause('resume', ''), ['running'])
    const marks = (await redis.send('ZRANGE', keys.leases, '0', '-1')) as string[]
    assert.deepEqual(marks.sort(), ['@paused:one', 'one'])
    assert.equal((await calls.sweep('one'))[0], 1)
  })

  test('is not written while leases or holders have another type', async (t) => {
    const { calls, redis, keys, unchanged } = await guardStage(t, bench())
    for (const key of [keys.holders, keys.leases]) {
      await redis.send('SET', key, 'text')
      const answer = await unchanged(() => calls.pause('pause', ''))
      assert.deepEqual(answer, ['error', `wrong-type string ${key}`])
    }
  })
})
