/** Rankings: what is refused, what a batch writes, and hashes that were there before the ranking. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  average,
  connect,
  count,
  integer,
  latest,
  max,
  projection,
  stream,
  sum,
  text,
  type Entry,
} from 'millrace'
import { groupKeys } from 'millrace/operate'
import { Gate } from '../../src/apply/gate.ts'
import { plansOf } from '../../src/declare/plan.ts'
import { Connection } from '../../src/redis/connection.ts'
import { readAddress } from '../../src/redis/server-address.ts'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { hashesUnder } from '../stage/hashes.ts'
import { rankingsUnder } from '../stage/rankings.ts'

test('projection refuses a ranking that cannot be kept', () => {
  const fields = { visits: count(), last: latest('room') }
  const declare = (template: string, rankings: Record<string, string>) => () =>
    projection(template, fields, { rankings })
  assert.throws(declare('k:{room}', { last: 'r' }), /ranks by "last", which is no count, sum/)
  assert.throws(declare('k:{room}', { stars: 'r' }), /ranks by "stars"/)
  assert.throws(declare('k:{room}', { toString: 'r' }), /ranks by "toString"/)
  assert.throws(declare('k:{room}', { visits: '' }), /has no key/)
  assert.throws(declare('k', { visits: 'r' }), /ranks a single hash/)
  const twice = { visits: count(), stars: sum('stars') }
  assert.throws(
    () => projection('k:{room}', twice, { rankings: { visits: 'r', stars: 'r' } }),
    /two rankings have the key "r"/,
  )
  const visits = stream('s', { room: integer(), stars: integer() })
  const both = ['a:{room}', 'b:{room}'].map((template) =>
    projection(template, twice, { rankings: { visits: 'r' } }),
  )
  assert.throws(() => plansOf(both, visits), /two projections with the ranking "r"/)
})

const entry = (id: string, values: Record<string, number | string>) => ({
  kind: 'apply' as const,
  id,
  entry: { id, values, unknown: undefined } satisfies Entry,
})

onEachServer('rankings', (bench) => {
  const stage = async (t: { after: (end: () => void) => void }) => {
    const prefix = freshPrefix()
    const connection = await Connection.open({
      address: readAddress(bench().server.url),
      name: 'rankings',
    })
    t.after(() => connection.destroy())
    const visits = stream(`${prefix}:s`, { room: text(), guest: integer(), stars: integer() })
    const rooms = projection(
      `${prefix}:é{{x}}:{room}/{guest}:end`,
      {
        stars: sum('stars'),
        visits: count(),
        mean: average('stars', 'visits'),
        inverse: average('visits', 'stars'),
        top: max('stars'),
      },
      {
        rankings: {
          top: `${prefix}:top`,
          mean: `${prefix}:mean`,
          inverse: `${prefix}:inverse`,
        },
      },
    )
    const wide = projection(
      `${prefix}:wide:{guest}`,
      { total: sum('stars') },
      { rankings: { total: `${prefix}:total` } },
    )
    const gate = new Gate(connection, plansOf([rooms, wide], visits))
    const keys = { ...groupKeys(visits.key, 'r'), position: `${prefix}:position` }
    let position = ''
    const apply = async (...settled: ReturnType<typeof entry>[]) => {
      const to = settled.at(-1)?.id ?? ''
      const answer = await gate.advanceAndApply(keys, { reader: 'r', from: position, to }, settled)
      if (answer.kind === 'applied') position = to
      return answer
    }
    return { ...bench(), prefix, visits, rooms, wide, apply, keys }
  }

  test('the member is the part of the key from its first field to its last', async (t) => {
    const { redis, prefix, apply } = await stage(t)
    await apply(entry('1-0', { room: 'a/b ü', guest: -7, stars: 3 }))
    await apply(
      entry('2-0', { room: 'a/b ü', guest: -7, stars: 1 }),
      entry('3-0', { room: '', guest: 0, stars: -2 }),
    )
    assert.deepEqual(await rankingsUnder(redis, prefix), {
      [`${prefix}:inverse`]: { 'a%2Fb%20%C3%BC/-7': 1, '/0': 0 },
      [`${prefix}:mean`]: { 'a%2Fb%20%C3%BC/-7': 2, '/0': -2 },
      [`${prefix}:top`]: { 'a%2Fb%20%C3%BC/-7': 3, '/0': -2 },
      [`${prefix}:total`]: { '-7': 4, '0': -2 },
    })
  })

  test('a score beyond 2^53 is the nearest number, and the hash stays exact', async (t) => {
    const { redis, prefix, apply } = await stage(t)
    await redis.send('HSET', `${prefix}:wide:1`, 'total', '9223372036854775800')
    await redis.send('HSET', `${prefix}:wide:2`, 'total', '-9007199254740993')
    await apply(
      entry('1-0', { room: 'x', guest: 1, stars: 7 }),
      entry('2-0', { room: 'x', guest: 2, stars: 0 }),
    )
    const total = (await rankingsUnder(redis, prefix))[`${prefix}:total`]
    assert.deepEqual(total, { 1: Number(9223372036854775807n), 2: Number(-9007199254740993n) })
    const { total: held } = await redis.hash(`${prefix}:wide:1`)
    assert.equal(held, '9223372036854775807')
  })

  test('a batch of more hashes than one ZADD takes ranks all of them', async (t) => {
    const { redis, prefix, apply } = await stage(t)
    const many = Array.from({ length: 6000 }, (_, at) =>
      entry(`${at + 1}-0`, { room: 'x', guest: at, stars: at }),
    )
    assert.equal((await apply(...many)).kind, 'applied')
    assert.equal(await redis.send('ZCARD', `${prefix}:total`), 6000)
    assert.equal(await redis.send('ZSCORE', `${prefix}:total`, '5999'), '5999')
  })

  test('a ranking of another type stops the batch before anything is written', async (t) => {
    const { redis, prefix, apply, keys } = await stage(t)
    await redis.send('SET', `${prefix}:mean`, 'x')
    await assert.rejects(apply(entry('1-0', { room: 'x', guest: 1, stars: 1 })), {
      code: 'WRONG_TYPE',
    })
    assert.deepEqual(await hashesUnder(redis, prefix), {})
    assert.equal(await redis.send('EXISTS', keys.position), 0)
  })

  test('a hash whose key is a ranking is refused before anything is written', async (t) => {
    const { redis, prefix, visits } = await stage(t)
    const connection = await Connection.open({
      address: readAddress(bench().server.url),
      name: 'rankings',
    })
    t.after(() => connection.destroy())
    const meeting = projection(
      `${prefix}:m:{room}`,
      { visits: count() },
      { rankings: { visits: `${prefix}:m:top` } },
    )
    const gate = new Gate(connection, plansOf([meeting], visits))
    const keys = { ...groupKeys(visits.key, 'q'), position: `${prefix}:q` }
    const move = { reader: 'q', from: '', to: '1-0' }
    const answer = await gate.advanceAndApply(keys, move, [
      entry('1-0', { room: 'top', guest: 1, stars: 1 }),
    ])
    const refusals = new Map([[`${prefix}:m:top`, { code: 'reserved-key', field: '' }]])
    assert.deepEqual(answer, { kind: 'refused', refusals })
    assert.deepEqual(await redis.send('KEYS', `${prefix}:m:*`), [])
  })

  test('a user without the right to a ranking gets an error before anything is written', async (t) => {
    const { redis, prefix, server, visits, wide } = await stage(t)
    const rights = [`~${prefix}:s*`, `~${prefix}:wide:*`, `~${prefix}:p`, '+@all']
    await redis.send('ACL', 'SETUSER', `no-${prefix}`, 'on', '>x', ...rights)
    const url = server.url.replace('redis://', `redis://no-${prefix}:x@`)
    const millrace = await connect({ url })
    t.after(() => millrace.close())
    await redis.send('XADD', visits.key, '*', 'room', 'x', 'guest', '1', 'stars', '1')
    const reader = millrace.reader(visits, {
      name: 'r',
      positionKey: `${prefix}:p`,
      projections: [wide],
    })
    await assert.rejects(reader.run(), { code: 'AUTHENTICATION' })
    // By what it folds was noted before; nothing was folded.
    const { [`${prefix}:s:r:read`]: noted, ...written } = await hashesUnder(redis, prefix)
    assert.deepEqual([Object.keys(noted ?? {}), written], [['definition'], {}])
    assert.equal(await redis.send('EXISTS', `${prefix}:p`), 0)
  })

  test('a rebuild ranks hashes that are older than the ranking, and takes out members without one', async (t) => {
    const { redis, prefix, visits, wide, rooms, millrace } = await stage(t)
    for (let id = 1; id <= 1200; id += 1) {
      await redis.send('HSET', `${prefix}:wide:${id}`, 'total', id * 2)
    }
    await redis.send('HSET', `${prefix}:wide:7`, 'total', 'none')
    const strangers = [`${prefix}:wide:x`, `${prefix}:wide:1:more`, `${prefix}:wide:01`]
    for (const key of strangers) await redis.send('HSET', key, 'total', 5)
    await redis.send('SET', `${prefix}:wide:9999`, 'text')
    await redis.send('ZADD', `${prefix}:total`, 1, '8888', 1, '9999', 1, '7', 1, 'x:y')
    const outcome = await millrace.rebuildRankings(visits, wide)
    assert.deepEqual(outcome, { ranked: 1199, removed: 4 })
    const total = (await rankingsUnder(redis, prefix))[`${prefix}:total`] ?? {}
    assert.equal(Object.keys(total).length, 1199)
    assert.ok(Object.entries(total).every(([id, score]) => score === Number(id) * 2))
    assert.deepEqual(await millrace.rebuildRankings(visits, wide), { ranked: 1199, removed: 0 })
    assert.deepEqual(await millrace.rebuildRankings(visits, rooms), { ranked: 0, removed: 0 })
    await redis.send('DEL', `${prefix}:total`)
    await redis.send('SET', `${prefix}:total`, 'x')
    await assert.rejects(millrace.rebuildRankings(visits, wide), { code: 'WRONG_TYPE' })
    await assert.rejects(millrace.rankingPage(`${prefix}:total`, { limit: 1 }), {
      code: 'WRONG_TYPE',
    })
  })
})
