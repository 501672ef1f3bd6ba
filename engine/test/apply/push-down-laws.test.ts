/**
 * The law of push-down: for any entries, good and bad, any batch size and any hashes before, the server leaves the hashes
 * and dead letters that pulling leaves, and the hashes that the reference interpreter computes.
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
  type Millrace,
} from 'millrace'
import { Reference } from 'millrace/testing'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { propertyRuns } from '../../../testing/property-runs.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { Decoder, isDecodeFailure } from '../../src/declare/stream.ts'
import { hashesUnder, plainHashes, withoutPrefix } from '../stage/hashes.ts'
import { oneOfEach } from '../stage/one-of-each.ts'

function model(prefix: string) {
  const visits = stream(`${prefix}:visits`, { guest: text(), room: integer(1), stars: integer() })
  return {
    visits,
    projections: [
      projection(`${prefix}:guests:{guest}`, {
        visits: count(),
        seen: latest(entryTime()),
        at: latest('room'),
        least: min('stars'),
        most: max('stars'),
      }),
      projection(`${prefix}:rooms:{room}`, {
        visits: count(),
        stars: sum('room'),
        mean: average('stars', 'visits'),
        by: first('guest'),
        opened: first(entryTime()),
        last: latest('guest'),
      }),
      projection(`${prefix}:pairs:{room}/{guest}'"]]\\{{x}}`, { total: sum('stars') }),
      projection(`${prefix}:all`, { 'it\'s \\ "odd" ]]\n': count(), by: first('guest') }),
      projection(`${prefix}:each:{guest}`, oneOfEach('room', 'guest')),
    ],
  }
}

/** A field's value: mostly good, else one of the many ways to be wrong. */
const guest = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('ada', 'bob', 'é:{x}', '', '100%', '日本', '😀') },
  { weight: 1, arbitrary: fc.constantFrom('\uFFFD', 'a\uFFFDb') },
)
const room = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('1', '2', '3') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '0',
      '-1',
      '01',
      ' 1',
      '1 ',
      '1.0',
      '1e0',
      '0x1',
      '+1',
      '1\0',
      'x',
    ),
  },
)
const stars = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -5, max: 5 }).map(String) },
  { weight: 2, arbitrary: fc.maxSafeInteger().map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
      '-9007199254740992',
      '-0',
      '1e3',
    ),
  },
)
const fields = fc.record({ guest, room, stars }).map((values) => Object.entries<string>(values))
const odd = fc.record({
  pairs: fields,
  order: fc.constantFrom([0, 1, 2], [2, 0, 1], [1, 0], [0, 0, 1, 2], [0, 1, 2, 2]),
  extra: fc.option(fc.constantFrom<[string, string]>(['more', 'x'], ['', '1'], ['__proto__', '2'])),
  place: fc.nat(4),
})
const shaped = odd.map(({ pairs, order, extra, place }) => {
  const ordered = order.map((at) => pairs[at]!)
  return extra === null ? ordered : ordered.toSpliced(place, 0, extra)
})
const entries = fc.array(
  fc.oneof({ weight: 4, arbitrary: fields }, { weight: 1, arbitrary: shaped }),
  {
    minLength: 1,
    maxLength: 20,
  },
)

const held = fc.constantFrom('-3', '0', '7', '9007199254740993', '1\n', 'x', '07')
const loadedGuest = fc.dictionary(
  fc.constantFrom('visits', 'seen', 'at', 'least', 'most', '@latest'),
  held,
)
const loadedRoom = fc.dictionary(
  fc.constantFrom('visits', 'stars', 'opened', 'by', 'last', '@first', '@latest'),
  fc.oneof(fc.constantFrom('-3', '0', '7', '12', '6-1', '5-0', '99-x'), held),
)
const sample = fc.record({
  entries,
  batch: fc.integer({ min: 1, max: 8 }),
  loadedGuest: fc.option(loadedGuest),
  loadedRoom: fc.option(loadedRoom),
})
type Sample = typeof sample extends fc.Arbitrary<infer Value> ? Value : never

/** Several entries to a millisecond. */
const idOf = (at: number): string => `${5 + Math.floor(at / 3)}-${at % 3}`

async function processed(
  { millrace, redis }: { millrace: Millrace; redis: TestClient },
  mode: 'pull' | 'push-down',
  { entries, batch, loadedGuest, loadedRoom }: Sample,
) {
  const prefix = freshPrefix()
  const { visits, projections } = model(prefix)
  const group = millrace.group(visits, 'g')
  await group.create()
  for (const [key, hash] of [
    [`${prefix}:guests:ada`, loadedGuest],
    [`${prefix}:rooms:1`, loadedRoom],
  ] as const) {
    if (hash === null || Object.keys(hash).length === 0) continue
    await redis.send('HSET', key, ...Object.entries(hash).flat())
  }
  for (const [at, pairs] of entries.entries()) {
    await redis.send('XADD', visits.key, idOf(at), ...pairs.flat())
  }
  const consumer = group.consumer('c', { projections, mode, batch, drain: true })
  await consumer.run()
  const { lag, pending, entriesRead } = await group.describe()
  const letters = (await redis.send('XRANGE', `${visits.key}:g:dead`, '-', '+')) as [
    string,
    string[],
  ][]
  return {
    prefix,
    counts: consumer.counts,
    state: { lag, pending, entriesRead },
    hashes: withoutPrefix(prefix, await hashesUnder(redis, prefix)),
    letters: letters
      // Without the time; the error names the key.
      .map(([, flat]) =>
        [...flat.slice(0, 8), ...flat.slice(10)].map((value) => value.replace(prefix, 'T')),
      )
      .sort((a, b) => (a[1]! < b[1]! ? -1 : 1)),
  }
}

/** One entry after the other; what the gate refuses is a dead letter. */
function expected({ entries, loadedGuest, loadedRoom }: Sample) {
  const { visits, projections } = model('')
  const reference = new Reference(visits, projections)
  if (loadedGuest !== null)
    reference.hashes.set(':guests:ada', new Map(Object.entries(loadedGuest)))
  if (loadedRoom !== null) reference.hashes.set(':rooms:1', new Map(Object.entries(loadedRoom)))
  const decoder = new Decoder(visits)
  const dead: string[] = []
  for (const [at, pairs] of entries.entries()) {
    const decoded = decoder.decode(idOf(at), pairs.flat())
    if (isDecodeFailure(decoded) || reference.apply(decoded) !== undefined) dead.push(idOf(at))
  }
  const hashes = plainHashes(reference.hashes)
  for (const [key, hash] of Object.entries(hashes)) {
    if (Object.keys(hash).length === 0) Reflect.deleteProperty(hashes, key)
  }
  return { hashes, dead: dead.sort() }
}

onEachServer('push-down', (bench) => {
  test('leaves the hashes and dead letters that pulling leaves, and those of the reference', async () => {
    await fc.assert(
      fc.asyncProperty(sample, async (given) => {
        const pulled = await processed(bench(), 'pull', given)
        const pushed = await processed(bench(), 'push-down', given)
        assert.deepEqual(pushed.hashes, pulled.hashes)
        assert.deepEqual(pushed.letters, pulled.letters)
        assert.deepEqual(pushed.state, pulled.state)
        assert.deepEqual(pushed.counts, pulled.counts)
        const { hashes, dead } = expected(given)
        assert.deepEqual(pushed.letters.map(([, id]) => id).sort(), dead)
        assert.deepEqual(pushed.hashes, hashes)
      }),
      { numRuns: propertyRuns(150, bench().kind) },
    )
  })
})
