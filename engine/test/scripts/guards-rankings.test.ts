/** What is checked before rankings follow hashes that are there already, and who stays in them. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { freshPrefix, onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { unchangedUnder } from '../stage/guard-stage.ts'
import { runScript, script } from '../stage/script-calls.ts'
import { openConnection, urlWithRights } from '../stage/connections.ts'

/** Two rankings of hashes `<prefix>:h:<member>`, of which `a` and `b` have scores. */
async function rankStage(t: TestContext, { server, redis }: Bench) {
  const prefix = freshPrefix()
  const rankings = [`${prefix}:stars`, `${prefix}:visits`]
  const from = String(`${prefix}:h:`.length + 1)
  const as = async (...rights: readonly string[]) => {
    const url = rights.length === 0 ? server.url : await urlWithRights({ server, redis }, ...rights)
    const connection = await openConnection(t, url)
    return (...members: readonly string[]) => {
      const keys = [...rankings, ...members.map((member) => `${prefix}:h:${member}`)]
      return runScript(connection, script('rank'), keys, [from, '-1', 'stars', 'visits'])
    }
  }
  const put = (member: string, stars: string, visits: string) =>
    redis.send('HSET', `${prefix}:h:${member}`, 'stars', stars, 'visits', visits)
  await put('a', '1', '2')
  await put('b', '3', '-4')
  const members = async (): Promise<unknown[]> =>
    await Promise.all(rankings.map((key) => redis.send('ZRANGE', key, '0', '-1')))
  const unchanged = unchangedUnder(redis, prefix)
  return { prefix, rankings, redis, as, rank: await as(), put, members, unchanged }
}

onOldestAndNewest('ranking hashes', (bench) => {
  test('begins with none while one ranking has another type', async (t) => {
    const { rankings, redis, rank, unchanged } = await rankStage(t, bench())
    const [, last = ''] = rankings
    await redis.send('SET', last, 'text')
    assert.deepEqual(await unchanged(() => rank('a', 'b')), ['error', `wrong-type string ${last}`])
  })

  test('begins with none where one may not be written', async (t) => {
    const { as, rank, unchanged } = await rankStage(t, bench())
    for (const right of ['ZADD', 'ZREM']) {
      const limited = await as('~*', '+@all', `-${right.toLowerCase()}`)
      const answer = await unchanged(() => limited('a', 'nobody'))
      assert.deepEqual(answer, ['error', `no-permission ${right}`])
    }
    assert.deepEqual(await rank('a', 'nobody'), ['ranked', 2, 0])
  })

  test('takes nobody out because a hash may not be read', async (t) => {
    const { as, rank, members, unchanged } = await rankStage(t, bench())
    assert.deepEqual(await rank('a', 'b'), ['ranked', 4, 0])
    const limited = await as('~*', '+@all', '-hmget')
    const answer = await unchanged(() => limited('a', 'b'))
    assert.deepEqual(answer, ['error', 'no-permission HMGET'])
    assert.deepEqual(await members(), [
      ['a', 'b'],
      ['b', 'a'],
    ])
  })

  test('takes out whose key holds no hash, or no integer there', async (t) => {
    const { prefix, redis, rank, put, members } = await rankStage(t, bench())
    const all = ['a', 'b', 'c', 'd']
    for (const member of all) await put(member, '1', '1')
    await rank(...all)
    await put('b', '1.5', '2e3')
    await put('c', '', '123456789012345678901')
    await redis.send('DEL', `${prefix}:h:d`)
    await redis.send('SET', `${prefix}:h:d`, '7')
    assert.deepEqual(await rank(...all), ['ranked', 2, 6])
    assert.deepEqual(await members(), [['a'], ['a']])
  })

  test('takes all hashes of a call, in steps of what one command takes', async (t) => {
    const { prefix, redis, rank, rankings } = await rankStage(t, bench())
    const many = 5001
    const all = Array.from({ length: many }, (_, at) => `m${at}`)
    const fill =
      "for _, key in ipairs(KEYS) do redis.call('HSET', key, 'stars', 1, 'visits', 2) end"
    const keys = all.map((member) => `${prefix}:h:${member}`)
    await redis.send('EVAL', fill, many, ...keys)
    assert.deepEqual(await rank(...all), ['ranked', 2 * many, 0])
    for (const key of rankings) assert.equal(await redis.send('ZCARD', key), many)
    await redis.send('UNLINK', ...keys)
    assert.deepEqual(await rank(...all), ['ranked', 0, 2 * many])
    assert.equal(await redis.send('EXISTS', ...rankings), 0)
  })
})
