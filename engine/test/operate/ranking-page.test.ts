import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RankingPlace, Standing } from 'millrace'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { propertyRuns } from '../../../testing/property-runs.ts'

onEachServer('rankings', (bench) => {
  test('pages of any size show every member once, in order, whatever ties there are', async () => {
    const { redis, millrace } = bench()
    const member = fc.oneof(
      fc.integer({ min: 1, max: 40 }).map(String),
      fc.string({ unit: 'binary', maxLength: 3 }).filter((name) => !/\p{Surrogate}/u.test(name)),
    )
    const score = fc.oneof(fc.integer({ min: -1, max: 2 }), fc.maxSafeInteger())
    const scores = fc.uniqueArray(fc.tuple(member, score), {
      selector: ([name]) => name,
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(scores, fc.integer({ min: 1, max: 7 }), async (held, limit) => {
        const key = `${freshPrefix()}:ranking`
        for (const [name, value] of held) await redis.send('ZADD', key, value, name)
        const shown: Standing[] = []
        let after: RankingPlace | undefined
        let isMore = true
        while (isMore) {
          const page = await millrace.rankingPage(key, {
            limit,
            ...(after === undefined ? {} : { after }),
          })
          assert.equal(page.total, held.length)
          shown.push(...page.standings)
          after = page.standings.at(-1)
          isMore = page.isMore
          assert.ok(!isMore || page.standings.length === limit)
        }
        const sorted = held
          .map(([name, value]) => ({ member: name, score: value + 0 }))
          .sort((a, b) => b.score - a.score || Buffer.compare(bytes(b), bytes(a)))
          .map((standing, at) => ({ rank: at + 1, ...standing }))
        assert.deepEqual(shown, sorted)
      }),
      { numRuns: propertyRuns(300, bench().kind) },
    )
  })

  test('a page begins after a place, also when its member has moved or gone', async () => {
    const { redis, millrace } = bench()
    const key = `${freshPrefix()}:ranking`
    for (const id of [1, 2, 3, 4, 5]) await redis.send('ZADD', key, 10, id)
    const after = { score: 10, member: '3' }
    const rest = async () =>
      (await millrace.rankingPage(key, { limit: 9, after })).standings.map(
        ({ rank, member: name }) => [rank, name],
      )
    const below = [
      [4, '2'],
      [5, '1'],
    ]
    assert.deepEqual(await rest(), below)
    await redis.send('ZADD', key, 99, '3')
    assert.deepEqual(await rest(), below)
    await redis.send('ZADD', key, 1, '3')
    assert.deepEqual(await rest(), [
      [3, '2'],
      [4, '1'],
      [5, '3'],
    ])
    await redis.send('ZREM', key, '3')
    assert.deepEqual(await rest(), [
      [3, '2'],
      [4, '1'],
    ])
    for (const limit of [0, 1001, 1.5, Number.NaN]) {
      await assert.rejects(millrace.rankingPage(key, { limit }), RangeError)
    }
    const broken = { score: Number.NaN, member: '' }
    await assert.rejects(millrace.rankingPage(key, { limit: 1, after: broken }), RangeError)
  })
})

const bytes = ({ member }: { readonly member: string }): Buffer => Buffer.from(member)
