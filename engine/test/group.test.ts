import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { freshPrefix, onEachServer } from '../../testing/on-each-server.ts'
import { appendVisits, freshGroup, readAndDie, visitModel } from './stage/fixture.ts'

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof MillraceError && error.code === code

onEachServer('group', (bench) => {
  test('is created once, at the given id, with its stream', async () => {
    const { millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    const group = millrace.group(visits, 'desk')
    await assert.rejects(group.describe(), hasCode('NO_STREAM'))
    assert.deepEqual(await group.create({ from: '5-3' }), { created: true })
    assert.deepEqual(await group.create(), { created: false })
    assert.equal((await group.describe()).lastDeliveredId, '5-3')
    await assert.rejects(millrace.group(visits, 'other').describe(), hasCode('NO_GROUP'))
    await redis.send('SET', visits.key, 'text')
    await assert.rejects(group.create(), hasCode('WRONG_TYPE'))
    await assert.rejects(group.describe(), hasCode('WRONG_TYPE'))
    assert.throws(() => millrace.group(visits, 'no spaces'), RangeError)
  })

  test('gives no consumer a name under which the engine parks entries', async () => {
    const { group, guests } = await freshGroup(bench())
    for (const name of ['unassigned', 'redrive', 'retry']) {
      assert.throws(() => group.consumer(name, { projections: [guests] }), {
        name: 'RangeError',
        message: `Cannot use "${name}" as name of a consumer: the engine parks entries there`,
      })
    }
    assert.equal(group.consumer('retry2', { projections: [guests] }).name, 'retry2')
  })

  test('describes what is pending, and for whom', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    await readAndDie(fixture, 'one', 3)
    await readAndDie(fixture, 'two', 4)
    const { consumers, ...rest } = await fixture.group.describe()
    assert.deepEqual(rest, {
      stream: fixture.visits.key,
      name: 'desk',
      streamLength: 10,
      pending: 7,
      oldestPendingId: '1-0',
      oldestPendingMs: null,
      oldestUndeliveredMs: null,
      newestPendingId: '7-0',
      lastDeliveredId: '7-0',
      entriesRead: 7,
      lag: 3,
      deadLetterStream: fixture.dead,
      deadLetters: 0,
    })
    assert.deepEqual(
      consumers.map(({ name, pending }) => [name, pending]),
      [
        ['one', 3],
        ['two', 4],
      ],
    )
    assert.equal(await fixture.group.isDrained(), false)
  })

  test('counts its lag where the server cannot tell, and knows when it is drained', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    await readAndDie(fixture, 'one', 2)
    await fixture.redis.send('XDEL', fixture.visits.key, '5-0')
    assert.equal((await fixture.group.describe()).lag, 7)
    await fixture.redis.send('XACK', fixture.visits.key, 'desk', '1-0', '2-0')
    assert.equal(await fixture.group.isDrained(), false)
    await fixture.redis.send('XGROUP', 'SETID', fixture.visits.key, 'desk', '10-0')
    assert.equal(await fixture.group.isDrained(), true)
  })

  test('is not said to be drained where the key is no stream', async () => {
    const { redis, visits, group } = await freshGroup(bench())
    await redis.send('DEL', visits.key)
    await assert.rejects(group.isDrained(), { code: 'NO_STREAM' })
    await redis.send('SET', visits.key, 'text')
    await assert.rejects(group.isDrained(), { code: 'WRONG_TYPE' })
  })
})
