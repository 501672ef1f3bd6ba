import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkinModel } from '../../src/domain/checkins.ts'
import { indexKeys, rebuildIndexes } from '../../src/loader/indexes.ts'
import { load } from '../../src/loader/load.ts'
import { freshPrefix, onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { runMain } from '../../../testing/processes.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { group, onReplace } from '../stage/small-data.ts'
import { locationOf, userOf } from '../stage/reading-stage.ts'

type Model = ReturnType<typeof checkinModel>

/** All members with their scores; of the geo index the score is the position. */
async function indexesOf(redis: TestClient, model: Model): Promise<unknown[]> {
  return await Promise.all(
    indexKeys(model).map((key) => redis.send('ZRANGE', key, '0', '-1', 'WITHSCORES')),
  )
}

const places = ['0,0', '180,-85.05112878', '-9.1,38.7', '0,90', 'somewhere', '']
const data = {
  users: [userOf(1, 3), userOf(2, 0), userOf(30, Number.MAX_SAFE_INTEGER)],
  locations: [
    ...places.map((location, at) => locationOf(at + 1, { location })),
    locationOf(7, { location: 5, numStars: 0 }),
  ],
  checkins: [],
}

onOldestAndNewest('reindex', (bench) => {
  test('a load ranks every user and location, and places those with a position', async () => {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    await load(millrace, data, { model, group })
    const [users, checkins, stars, positions] = (await indexesOf(redis, model)) as string[][]
    assert.deepEqual(users, ['2', '0', '1', '3', '30', '9007199254740991'])
    assert.equal(checkins?.length, 14)
    assert.deepEqual(stars?.slice(0, 2), ['7', '0'])
    const placed = positions?.filter((_, at) => at % 2 === 0)
    assert.deepEqual(placed?.sort(), ['1', '2', '3'])
    // Another load leaves nothing of it.
    await load(millrace, { users: [], locations: [], checkins: [] }, { model, group, onReplace })
    assert.deepEqual(await indexesOf(redis, model), [[], [], [], []])
  })

  test('a rebuild makes what the load has made, and takes out what has no hash', async () => {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    await load(millrace, data, { model, group })
    const loaded = await indexesOf(redis, model)
    await redis.send('DEL', ...indexKeys(model))
    const all = { rankings: { ranked: 17, removed: 0 }, positions: { placed: 3, removed: 0 } }
    assert.deepEqual(await rebuildIndexes(millrace, model), all)
    assert.deepEqual(await indexesOf(redis, model), loaded)
    await redis.send('GEOADD', model.geoKey, 1, 1, '99', 2, 2, '5')
    await redis.send('ZADD', model.users.rankings.numCheckins ?? '', 7, '99')
    const outcome = await rebuildIndexes(millrace, model)
    assert.deepEqual([outcome.rankings.removed, outcome.positions.removed], [1, 2])
    assert.deepEqual(await indexesOf(redis, model), loaded)
  })

  test('a rebuild while processors run loses none of their check-ins', async () => {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    const users = Array.from({ length: 400 }, (_, at) => userOf(at + 1, 0))
    await load(millrace, { users, locations: [], checkins: [] }, { model, group })
    const additions = Array.from({ length: 4000 }, (_, at) => ({
      values: { userId: 1 + (at % 400), locationId: 1 + (at % 9), starRating: at % 6 },
    }))
    await millrace.appendMany(model.checkins, additions)
    const projections = [model.users, model.locations]
    const options = { projections, batch: 20, drain: true }
    const crew = ['a', 'b'].map((name) =>
      millrace.group(model.checkins, group).consumer(name, options),
    )
    let isDone = false
    const processed = Promise.all(crew.map((consumer) => consumer.run())).then(() => {
      isDone = true
    })
    let rebuilds = 0
    for (; !isDone; rebuilds += 1) await rebuildIndexes(millrace, model)
    await processed
    assert.ok(rebuilds > 1)
    const ranked = (await redis.send(
      ...(['ZRANGE', model.users.rankings.numCheckins ?? '', '0', '-1', 'WITHSCORES'] as const),
    )) as string[]
    assert.equal(ranked.length, 800)
    assert.ok(ranked.every((value, at) => at % 2 === 0 || value === '10'))
  })

  test('the command rebuilds and says what it did', async () => {
    const { millrace, redis, server } = bench()
    const prefix = freshPrefix()
    const model = checkinModel(prefix)
    await load(millrace, data, { model, group })
    const loaded = await indexesOf(redis, model)
    await redis.send('DEL', ...indexKeys(model))
    const env = { REDIS_URL: server.url, KEY_PREFIX: prefix }
    const { code, stdout } = await runMain(['reindex'], { env }).exited
    assert.equal(code, 0)
    assert.equal(
      stdout,
      'Set 17 places in the rankings, removed 0. Set 3 positions of locations, removed 0.\n',
    )
    assert.deepEqual(await indexesOf(redis, model), loaded)
    await redis.send('DEL', model.geoKey)
    await redis.send('SET', model.geoKey, 'x')
    const failed = await runMain(['reindex', '--json'], { env }).exited
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /^error: WRONGTYPE/m)
    const { error } = JSON.parse(failed.stdout) as { error: { message: string } }
    assert.match(error.message, /^WRONGTYPE/)
  })
})
