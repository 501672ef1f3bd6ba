/**
 * The laws of projections: for any entries, any order, any split into batches and any number of consumers, the gate's
 * scripts leave the hashes and rankings that the reference interpreter computes one entry at a time, in stream order.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  average,
  count,
  entryTime,
  first,
  integer,
  latest,
  max,
  min,
  projection,
  stream,
  sum,
  text,
  type Entry,
} from 'millrace'
import { groupKeys } from 'millrace/operate'
import { Reference } from 'millrace/testing'
import { Gate } from '../../src/apply/gate.ts'
import { plansOf } from '../../src/declare/plan.ts'
import { Connection } from '../../src/redis/connection.ts'
import { readAddress } from '../../src/redis/server-address.ts'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { propertyRuns } from '../../../testing/property-runs.ts'
import { hashesUnder, plainHashes } from '../stage/hashes.ts'
import { oneOfEach } from '../stage/one-of-each.ts'
import { plainRankings, rankingsUnder } from '../stage/rankings.ts'

/** Entries with ids that collide in their milliseconds, of few guests, so that keys and ties are shared. */
const entries = fc
  .uniqueArray(
    fc.record({
      ms: fc.integer({ min: 5, max: 12 }),
      seq: fc.integer({ min: 0, max: 11 }),
      guest: fc.constantFrom('ada', 'bob', 'é:{x}', ''),
      room: fc.integer({ min: 1, max: 3 }),
      stars: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer()),
    }),
    { selector: ({ ms, seq }) => `${ms}-${seq}`, minLength: 1, maxLength: 24 },
  )
  .map((rows) => rows.sort((a, b) => a.ms - b.ms || a.seq - b.seq))

/** What hashes may hold before their first entry. Only fields that no average reads may be larger than 2^51. */
const small = fc.integer({ min: -3, max: 14 }).map(String)
const loadedGuest = fc.dictionary(
  fc.constantFrom('visits', 'seen', 'at', 'least', 'most'),
  fc.oneof(small, fc.constantFrom('9007199254740993', '-9223372036854775000')),
)
const loadedRoom = fc.dictionary(fc.constantFrom('visits', 'stars', 'opened', 'by', 'last'), small)

type Row = (typeof entries extends fc.Arbitrary<infer Rows> ? Rows : never)[number]

function model(prefix: string) {
  const visits = stream(`${prefix}:visits`, { guest: text(), room: integer(1), stars: integer() })
  const ranking = (name: string): string => `${prefix}:ranking:${name}`
  const guests = projection(
    `${prefix}:guests:{guest}`,
    {
      visits: count(),
      seen: latest(entryTime()),
      at: latest('room'),
      least: min('stars'),
      most: max('stars'),
    },
    {
      rankings: {
        most: ranking('most'),
        least: ranking('least'),
        visits: ranking('guestVisits'),
      },
    },
  )
  const rooms = projection(
    `${prefix}:rooms:{room}`,
    {
      visits: count(),
      stars: sum('stars'),
      mean: average('stars', 'visits'),
      opened: first(entryTime()),
      by: first('guest'),
      last: latest('guest'),
    },
    { rankings: { mean: ranking('mean'), stars: ranking('stars') } },
  )
  const firsts = projection(`${prefix}:firsts`, { total: sum('stars'), by: first('guest') })
  const each = projection(`${prefix}:each:{room}`, oneOfEach('stars', 'guest'))
  return { visits, projections: [guests, rooms, firsts, each] }
}

const toEntry = ({ ms, seq, guest, room, stars }: Row): Entry => ({
  id: `${ms}-${seq}`,
  values: { guest, room, stars },
  unknown: undefined,
})

onEachServer('projections', (bench) => {
  test('leave the reference result for any order, batch split and assignment to consumers', async (t) => {
    const connection = await Connection.open({
      address: readAddress(bench().server.url),
      name: 'laws',
    })
    t.after(() => connection.destroy())
    const { redis } = bench()
    const shuffled = entries.chain((rows) =>
      fc.record({
        rows: fc.constant(rows),
        order: fc.shuffledSubarray(rows, { minLength: rows.length }),
        sizes: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        consumers: fc.integer({ min: 1, max: 3 }),
        loadedGuest: fc.option(loadedGuest),
        loadedRoom: fc.option(loadedRoom),
      }),
    )
    await fc.assert(
      fc.asyncProperty(shuffled, async ({ rows, order, sizes, consumers, ...before }) => {
        const prefix = freshPrefix()
        const { visits, projections } = model(prefix)
        const reference = new Reference(visits, projections)
        const hashes = { guests: before.loadedGuest, rooms: before.loadedRoom }
        for (const [key, hash] of [
          [`${prefix}:guests:ada`, hashes.guests],
          [`${prefix}:rooms:1`, hashes.rooms],
        ] as const) {
          if (hash === null || Object.keys(hash).length === 0) continue
          reference.hashes.set(key, new Map(Object.entries(hash)))
          await redis.send('HSET', key, ...Object.entries(hash).flat())
        }
        for (const row of rows) assert.equal(reference.apply(toEntry(row)), undefined)

        await redis.send('XGROUP', 'CREATE', visits.key, 'g', '0', 'MKSTREAM')
        for (const { ms, seq, guest, room, stars } of rows) {
          const fields = ['guest', guest, 'room', String(room), 'stars', String(stars)]
          await redis.send('XADD', visits.key, `${ms}-${seq}`, ...fields)
        }
        // Deliver each entry to some consumer; then apply the batches in the order of the shuffle.
        const owner = new Map<string, string>()
        for (const [at] of rows.entries()) {
          const consumer = `c${at % consumers}`
          const read = ['GROUP', 'g', consumer, 'COUNT', '1', 'STREAMS', visits.key, '>']
          await redis.send('XREADGROUP', ...read)
          owner.set(toEntry(rows[at]!).id, consumer)
        }
        const gate = new Gate(connection, plansOf(projections, visits))
        const keys = groupKeys(visits.key, 'g')
        for (const batch of split(order.map(toEntry), sizes)) {
          for (const consumer of new Set(batch.map(({ id }) => owner.get(id)))) {
            const own = batch.filter(({ id }) => owner.get(id) === consumer).sort(byId)
            const settled = own.map((entry) => ({ kind: 'apply' as const, id: entry.id, entry }))
            const who = { group: 'g', consumer: consumer ?? '' }
            const answer = await gate.acknowledgeAndApply(keys, who, settled)
            assert.equal(answer.kind, 'applied')
          }
        }
        assert.deepEqual(await hashesUnder(redis, prefix), plainHashes(reference.hashes))
        const rankings = await rankingsUnder(redis, prefix)
        assert.deepEqual(rankings, plainRankings(reference.rankings))
        assert.equal(((await redis.send('XPENDING', visits.key, 'g')) as number[])[0], 0)
      }),
      { numRuns: propertyRuns(500, bench().kind) },
    )
  })

  test('add integers of any size exactly, and refuse what leaves 64 bits', async (t) => {
    const connection = await Connection.open({
      address: readAddress(bench().server.url),
      name: 'laws',
    })
    t.after(() => connection.destroy())
    const { redis } = bench()
    const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    const near = fc.constantFrom(
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 53n,
      -(2n ** 53n),
      999999999n,
      0n,
    )
    const amounts = fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(fc.oneof(int64, near), amounts, async (held, stars) => {
        const prefix = freshPrefix()
        const visits = stream(`${prefix}:s`, { stars: integer() })
        const totals = projection(`${prefix}:total`, { stars: sum('stars') })
        const sumOf = stars.reduce((total, star) => total + BigInt(star), held)
        await redis.send('HSET', `${prefix}:total`, 'stars', String(held))
        const gate = new Gate(connection, plansOf([totals], visits))
        const move = { reader: 'r', from: '', to: '1-0' }
        const keys = { ...groupKeys(visits.key, 'r'), position: `${prefix}:position` }
        const settled = stars.map((star, at) => {
          const entry = { id: `1-${at}`, values: { stars: star }, unknown: undefined }
          return { kind: 'apply' as const, id: entry.id, entry }
        })
        const answer = await gate.advanceAndApply(keys, move, settled)
        const fits = sumOf <= 2n ** 63n - 1n && sumOf >= -(2n ** 63n)
        assert.equal(answer.kind, fits ? 'applied' : 'refused')
        const left = await redis.send('HGET', `${prefix}:total`, 'stars')
        assert.equal(left, String(fits ? sumOf : held))
      }),
      { numRuns: propertyRuns(500, bench().kind) },
    )
  })

  test('refuse a held value that HINCRBY would refuse, as the reference does', async (t) => {
    const connection = await Connection.open({
      address: readAddress(bench().server.url),
      name: 'laws',
    })
    t.after(() => connection.destroy())
    const { redis } = bench()
    const odd = fc.constantFrom(
      ...['', ' 1', '1 ', '+1', '01', '-0', '1.0', '1e3', '0x10', 'nan', 'inf', 'abc', '--1', '-'],
      ...['9223372036854775808', '-9223372036854775809', '99999999999999999999', '1\r\n', '1\0'],
    )
    const field = fc.constantFrom('count', 'sum', 'least', 'most', 'seen', '@latest')
    await fc.assert(
      fc.asyncProperty(odd, field, async (held, name) => {
        const prefix = freshPrefix()
        const visits = stream(`${prefix}:s`, { stars: integer() })
        const totals = projection(`${prefix}:total`, {
          count: count(),
          sum: sum('stars'),
          least: min('stars'),
          most: max('stars'),
          seen: latest(entryTime()),
        })
        await redis.send('HSET', `${prefix}:total`, name, held)
        const before = await hashesUnder(redis, prefix)
        const reference = new Reference(visits, [totals])
        reference.hashes.set(`${prefix}:total`, new Map([[name, held]]))
        const entry = { id: '7-0', values: { stars: 3 }, unknown: undefined }
        const expected = reference.apply(entry)
        assert.notEqual(expected, undefined)
        const gate = new Gate(connection, plansOf([totals], visits))
        const keys = { ...groupKeys(visits.key, 'r'), position: `${prefix}:position` }
        const move = { reader: 'r', from: '', to: '7-0' }
        const answer = await gate.advanceAndApply(keys, move, [{ kind: 'apply', id: '7-0', entry }])
        assert.deepEqual(answer, {
          kind: 'refused',
          refusals: new Map([[`${prefix}:total`, { code: expected, field: name }]]),
        })
        assert.deepEqual(await hashesUnder(redis, prefix), before)
      }),
      { numRuns: propertyRuns(500, bench().kind) },
    )
  })
})

function* split<Item>(items: readonly Item[], sizes: readonly number[]): Generator<Item[]> {
  let from = 0
  for (let round = 0; from < items.length; round += 1) {
    const size = sizes[round % sizes.length] ?? 1
    yield items.slice(from, from + size)
    from += size
  }
}

function byId(a: Entry, b: Entry): number {
  const [aMs = 0, aSeq = 0] = a.id.split('-').map(Number)
  const [bMs = 0, bSeq = 0] = b.id.split('-').map(Number)
  return aMs - bMs || aSeq - bSeq
}
