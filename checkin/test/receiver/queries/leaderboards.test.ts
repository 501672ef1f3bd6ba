import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { propertyRuns } from '../../../../testing/property-runs.ts'
import { readDataFolder, sampleFolder } from '../../../src/loader/data-folder.ts'
import { serverKinds } from '../../../../testing/redis-servers.ts'
import { locationOf, readingStage, userOf, type ReadingStage } from '../../stage/reading-stage.ts'
import { checkinModel } from '../../../src/domain/checkins.ts'

interface Row {
  readonly rank: number
  readonly id: number
  readonly score: number
}

interface Page {
  readonly by: string
  readonly total: number
  readonly users?: readonly Row[]
  readonly locations?: readonly Row[]
  readonly next: string | null
}

const boards = '/api/leaderboards'

async function pageOf({ get }: Pick<ReadingStage, 'get'>, path: string): Promise<Page> {
  const answer = await get(`${boards}/${path}`)
  assert.equal(answer.status, 200, answer.text)
  return answer.json as unknown as Page
}

/** All rows of a board, page by page, with what happens between two pages. */
async function walk(
  stage: Pick<ReadingStage, 'get'>,
  path: string,
  limit: number,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<Row[]> {
  const rows: Row[] = []
  let cursor = ''
  for (;;) {
    const { users, locations, next } = await pageOf(stage, `${path}limit=${limit}${cursor}`)
    rows.push(...(users ?? locations ?? []))
    if (next === null) return rows
    cursor = `&cursor=${next}`
    await between()
  }
}

test('leaderboards rank what was loaded, with the fields that say what it is', async (t) => {
  const stage = await readingStage(t, {
    users: [userOf(1, 5), userOf(2, 50), userOf(10, 5), userOf(9, 0)],
    locations: [
      locationOf(1, { numStars: 3, numCheckins: 9 }),
      locationOf(2, { numStars: 10, numCheckins: 2, name: 'Zoë’s' }),
    ],
  })
  assert.deepEqual(await pageOf(stage, 'locations'), {
    by: 'stars',
    total: 2,
    locations: [
      {
        rank: 1,
        id: 2,
        score: 10,
        name: 'Zoë’s',
        category: 'cafe',
        location: '-9.139337,38.707751',
      },
      {
        rank: 2,
        id: 1,
        score: 3,
        name: 'Place 1',
        category: 'cafe',
        location: '-9.139337,38.707751',
      },
    ],
    next: null,
  })
  const { locations } = await pageOf(stage, 'locations?by=checkins&limit=1')
  assert.deepEqual(
    locations?.map(({ id, score }) => [id, score]),
    [[1, 9]],
  )
  assert.deepEqual(await pageOf(stage, 'users?limit=2'), {
    by: 'checkins',
    total: 4,
    users: [
      { rank: 1, id: 2, score: 50, firstName: 'First 2', lastName: 'Last 2' },
      { rank: 2, id: 10, score: 5, firstName: 'First 10', lastName: 'Last 10' },
    ].sort((a, b) => a.rank - b.rank),
    next: (await pageOf(stage, 'users?limit=2')).next,
  })
})

test('a leaderboard without anything is empty', async (t) => {
  const stage = await readingStage(t, {})
  const empty = { total: 0, next: null }
  assert.deepEqual(await pageOf(stage, 'users'), { by: 'checkins', users: [], ...empty })
  assert.deepEqual(await pageOf(stage, 'locations'), { by: 'stars', locations: [], ...empty })
})

test('a leaderboard names every wrong parameter, and takes no cursor but its own', async (t) => {
  const stage = await readingStage(t, { users: [userOf(1, 5), userOf(2, 5)], locations: [] })
  const { next } = await pageOf(stage, 'users?limit=1')
  assert.ok(next !== null)
  assert.equal((await pageOf(stage, `users?limit=1&cursor=${next}`)).users?.[0]?.id, 1)
  const plain = (text: string): string => Buffer.from(text).toString('base64url')
  const cursors = [
    ...['', 'x', '*', next.slice(1), `${next}A`, `${next}=`, `${next}!`, 'x'.repeat(5000), '%00'],
    plain('users:checkins 5'),
    plain('users:checkins 5 x'),
    plain('users:checkins 5e3 1'),
    plain('users:checkins NaN 1'),
    plain('users:checkins 05 1'),
    plain('users:checkins 5 1\n'),
    plain('users:checkins 5 1 2'),
    plain('users:checkins inf 99999999999999999999'),
    plain('locations:stars 5 2'),
  ]
  for (const cursor of cursors) {
    const answer = await stage.get(`${boards}/users?cursor=${cursor}`)
    assert.equal(answer.status, 400, cursor)
    assert.deepEqual(
      answer.json?.errors?.map(({ pointer }) => pointer),
      ['#/cursor'],
    )
  }
  const cases: [query: string, pointers: string[]][] = [
    ['users?by=stars', ['#/by']],
    ['users?by=checkins&by=checkins', ['#/by']],
    ['locations?by=__proto__', ['#/by']],
    ['locations?by=&limit=0', ['#/by', '#/limit']],
    ['locations?limit=101', ['#/limit']],
    ['locations?limit=1e1', ['#/limit']],
    ['locations?limit=-1&cursor=x', ['#/limit', '#/cursor']],
    [`locations?by=checkins&cursor=${plain('locations:stars 5 2')}`, ['#/cursor']],
  ]
  for (const [query, pointers] of cases) {
    const answer = await stage.get(`${boards}/${query}`)
    assert.equal(answer.status, 400, query)
    assert.deepEqual(
      answer.json?.errors?.map(({ pointer }) => pointer),
      pointers,
      query,
    )
  }
  assert.equal((await stage.get(`${boards}/nothing`)).status, 404)
  assert.equal((await stage.get(`${boards}/users`, { method: 'DELETE' })).status, 405)
})

test('pages of a leaderboard neither skip nor repeat, whatever ties there are', async (t) => {
  const stage = await readingStage(t, {})
  const { redis, model } = stage
  const key = model.users.rankings.numCheckins ?? ''
  const scores = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(scores, fc.integer({ min: 1, max: 9 }), async (held, limit) => {
      await redis.send('DEL', key)
      for (const [at, score] of held.entries()) await redis.send('ZADD', key, score, at + 1)
      const rows = await walk(stage, 'users?', limit)
      assert.deepEqual(
        rows.map(({ rank }) => rank),
        held.map((_, at) => at + 1),
      )
      assert.deepEqual(new Set(rows.map(({ id }) => id)), new Set(held.map((_, at) => at + 1)))
      assert.ok(rows.every((row, at) => at === 0 || row.score <= (rows[at - 1]?.score ?? 0)))
      assert.ok(rows.every(({ id, score }) => held[id - 1] === score))
    }),
    { numRuns: propertyRuns(60) },
  )
})

test('while scores grow, those that do not move are shown once each', async (t) => {
  const stage = await readingStage(t, {})
  const { redis, model } = stage
  const key = model.users.rankings.numCheckins ?? ''
  for (let id = 1; id <= 60; id += 1) await redis.send('ZADD', key, id % 7, id)
  let round = 0
  // Every page somebody of the rest, or of those shown, goes up.
  const rows = await walk(stage, 'users?', 5, async () => {
    round += 1
    await redis.send('ZINCRBY', key, 3, round * 7)
  })
  const moved = new Set(Array.from({ length: round }, (_, at) => (at + 1) * 7))
  const still = rows.map(({ id }) => id).filter((id) => !moved.has(id))
  const expected = Array.from({ length: 60 }, (_, at) => at + 1).filter((id) => !moved.has(id))
  assert.deepEqual(
    still.sort((a, b) => a - b),
    expected,
  )
})

for (const kind of serverKinds()) {
  test(`leaderboards are the sorted hashes after 5,000 check-ins by three processors, on ${kind}`, async (t) => {
    const data = await readDataFolder(sampleFolder, checkinModel('ncc'))
    const stage = await readingStage(t, data, { redis: { kind } })
    const { redis, millrace, model } = stage
    const group = millrace.group(model.checkins, 'checkinConsumers')
    const crew = ['consumer1', 'consumer2', 'consumer3'].map((name) =>
      group.consumer(name, { projections: [model.users, model.locations], batch: 50, drain: true }),
    )
    await Promise.all(crew.map((consumer) => consumer.run()))
    assert.ok(crew.every(({ counts }) => counts.applied > 0))
    const sorted = async (prefix: string, field: string) => {
      const keys = (await redis.send('KEYS', `${prefix}*`)) as string[]
      const rows = await Promise.all(
        keys.map(async (key) => ({
          id: Number(key.slice(prefix.length)),
          score: Number((await redis.hash(key))[field]),
        })),
      )
      const bytes = (id: number): Buffer => Buffer.from(String(id))
      return rows
        .sort((a, b) => b.score - a.score || Buffer.compare(bytes(b.id), bytes(a.id)))
        .map((row, at) => ({ rank: at + 1, ...row }))
    }
    for (const [path, prefix, field] of [
      ['locations?', model.locationKey(''), 'numStars'],
      ['locations?by=checkins&', model.locationKey(''), 'numCheckins'],
      ['users?', model.userKey(''), 'numCheckins'],
    ] as const) {
      const rows = await walk(stage, path, 100)
      assert.ok(rows.length >= 200)
      const shown = rows.map(({ rank, id, score }) => ({ rank, id, score }))
      assert.deepEqual(shown, await sorted(prefix, field), path)
    }
  })
}
