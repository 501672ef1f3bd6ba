/** Rankings where entries are folded in the server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, integer, max, projection, stream, sum } from 'millrace'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { hashesUnder } from '../stage/hashes.ts'
import { rankingsUnder } from '../stage/rankings.ts'

function model(prefix: string) {
  const visits = stream(`${prefix}:s`, { room: integer(), stars: integer() })
  const rooms = projection(
    `${prefix}:rooms:{room}`,
    { visits: count(), stars: sum('stars'), top: max('stars') },
    { rankings: { stars: `${prefix}:rooms:5`, top: `${prefix}:top` } },
  )
  return { visits, rooms }
}

onEachServer('rankings by push-down', (bench) => {
  const drain = async (prefix: string) => {
    const { visits, rooms } = model(prefix)
    const group = bench().millrace.group(visits, 'g')
    const consumer = group.consumer('c', { projections: [rooms], drain: true })
    await consumer.run()
    return consumer.counts
  }

  test('follow the hashes, and a hash whose key is a ranking is refused', async () => {
    const { millrace, redis } = bench()
    const prefix = freshPrefix()
    const { visits } = model(prefix)
    await millrace.group(visits, 'g').create()
    const additions = Array.from({ length: 60 }, (_, at) => ({
      values: { room: at % 6, stars: at },
    }))
    await millrace.appendMany(visits, additions)
    const { applied, deadLettered } = await drain(prefix)
    assert.deepEqual([applied, deadLettered], [50, 10])
    const rankings = await rankingsUnder(redis, prefix)
    assert.deepEqual(rankings[`${prefix}:rooms:5`], { 0: 270, 1: 280, 2: 290, 3: 300, 4: 310 })
    assert.deepEqual(rankings[`${prefix}:top`], { 0: 54, 1: 55, 2: 56, 3: 57, 4: 58 })
  })

  test('of another type stop the consumer before the group moves', async () => {
    const { millrace, redis } = bench()
    const prefix = freshPrefix()
    const { visits } = model(prefix)
    const group = millrace.group(visits, 'g')
    await group.create()
    await millrace.append(visits, { room: 1, stars: 3 })
    await redis.send('SET', `${prefix}:top`, 'x')
    await assert.rejects(drain(prefix), { code: 'WRONG_TYPE' })
    assert.equal((await group.describe()).lastDeliveredId, '0-0')
    const left = Object.keys(await hashesUnder(redis, prefix))
    assert.deepEqual(
      left.filter((key) => key.includes(':rooms:')),
      [],
    )
    await redis.send('DEL', `${prefix}:top`)
    assert.equal((await drain(prefix)).applied, 1)
  })
})
