import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { propertyRuns } from '../../../../testing/property-runs.ts'
import { latMax, readPosition } from '../../../src/domain/position.ts'
import { indexLoaded } from '../../../src/loader/indexes.ts'
import { serverKinds } from '../../../../testing/redis-servers.ts'
import { locationOf, readingStage } from '../../stage/reading-stage.ts'
import type { Answer } from '../../stage/receiver-stage.ts'

interface Nearby {
  readonly locations: readonly { readonly id: number; readonly distance: number }[]
  readonly isComplete: boolean
}

const nearbyOf = ({ json }: Answer): Nearby => json as unknown as Nearby
const idsOf = (answer: Answer): number[] => nearbyOf(answer).locations.map(({ id }) => id)

const path = (query: Readonly<Record<string, number | string>>): string => {
  const texts = Object.entries(query).map(([name, value]) => [name, String(value)])
  const parameters = new URLSearchParams(Object.fromEntries(texts) as Record<string, string>)
  return `/api/locations/nearby?${parameters.toString()}`
}

const center = { lat: 38.7, lng: -9.1 }
/** Locations 100 m apart on a line to the north. */
const line = Array.from({ length: 30 }, (_, at) =>
  locationOf(at + 1, {
    location: `-9.1,${(38.7 + (at * 100) / 111_226).toFixed(6)}`,
    category: at % 2 === 0 ? 'cafe' : 'bar',
    averageStars: at % 6,
  }),
)

test('nearby shows the locations within the radius, nearest first, with what their hashes say', async (t) => {
  const { get, redis } = await readingStage(t, { locations: line })
  const answer = await get(path({ ...center, radius: 250 }))
  assert.equal(answer.status, 200)
  assert.deepEqual(idsOf(answer), [1, 2, 3])
  assert.deepEqual(nearbyOf(answer).locations[1], {
    id: 2,
    distance: 100,
    name: 'Place 2',
    category: 'bar',
    location: line[1]?.location,
    numCheckins: 2,
    numStars: 7,
    averageStars: 1,
  })
  assert.equal(nearbyOf(answer).isComplete, true)
  const few = await get(path({ ...center, limit: 2 }))
  assert.deepEqual(nearbyOf(few).isComplete, false)
  assert.deepEqual(idsOf(few), [1, 2])
  const exact = await get(path({ ...center, radius: 150, limit: 2 }))
  assert.equal(nearbyOf(exact).isComplete, true)
  // Gone since it was indexed.
  await redis.send('DEL', 'ncc:locations:2')
  assert.deepEqual(idsOf(await get(path({ ...center, radius: 250 }))), [1, 3])
})

test('nearby filters by category and by stars', async (t) => {
  const { get } = await readingStage(t, { locations: line })
  const ids = async (filter: object) =>
    idsOf(await get(path({ ...center, radius: 950, ...filter })))
  assert.deepEqual(await ids({ category: 'bar' }), [2, 4, 6, 8, 10])
  assert.deepEqual(await ids({ category: 'Bar' }), [])
  assert.deepEqual(await ids({ minStars: 4 }), [5, 6])
  assert.deepEqual(await ids({ minStars: 4, category: 'cafe' }), [5])
  assert.deepEqual(await ids({ minStars: 0, limit: 3 }), [1, 2, 3])
  assert.deepEqual(await ids({ category: '*' }), [])
})

test('nearby with a filter looks at the nearest thousand and says that there may be more', async (t) => {
  const many = Array.from({ length: 1100 }, (_, at) =>
    locationOf(at + 1, {
      location: `-9.1,${(38.7 + at / 111_226).toFixed(6)}`,
      category: at === 150 || at === 1050 ? 'rare' : 'cafe',
    }),
  )
  const { get } = await readingStage(t, { locations: many })
  const rare = await get(path({ ...center, category: 'rare' }))
  assert.deepEqual(idsOf(rare), [151])
  assert.equal(nearbyOf(rare).isComplete, false)
  const near = await get(path({ ...center, category: 'rare', radius: 500 }))
  assert.deepEqual([idsOf(near), nearbyOf(near).isComplete], [[151], true])
})

test('nearby names every wrong parameter', async (t) => {
  const { get } = await readingStage(t, { locations: [] })
  const cases: [query: string, pointers: string[]][] = [
    ['', ['#/lat', '#/lng']],
    ['lat=1', ['#/lng']],
    ['lat=90&lng=180.1', ['#/lat', '#/lng']],
    ['lat=85.06&lng=0', ['#/lat']],
    ['lat=1e1&lng=+1', ['#/lat', '#/lng']],
    ['lat=NaN&lng=Infinity', ['#/lat', '#/lng']],
    ['lat=0x10&lng=%201', ['#/lat', '#/lng']],
    ['lat=&lng=.5', ['#/lat', '#/lng']],
    ['lat=1&lat=2&lng=1', ['#/lat']],
    ['lat[]=1&lng=1', ['#/lat']],
    ['lat=1%0d%0aDEL&lng=1%00', ['#/lat', '#/lng']],
    ['lat=1&lng=1&radius=0', ['#/radius']],
    ['lat=1&lng=1&radius=100001', ['#/radius']],
    ['lat=1&lng=1&radius=1.5&limit=101', ['#/radius', '#/limit']],
    ['lat=1&lng=1&limit=0&minStars=6', ['#/limit', '#/minStars']],
    ['lat=1&lng=1&minStars=-1&category=', ['#/category', '#/minStars']],
    [`lat=1&lng=1&category=${'x'.repeat(65)}`, ['#/category']],
    ['lat=1&lng=1&category=a&category=b', ['#/category']],
    [`lat=${'1'.repeat(2000)}&lng=1`, ['#/lat']],
  ]
  for (const [query, pointers] of cases) {
    const answer = await get(`/api/locations/nearby?${query}`)
    assert.equal(answer.status, 400, query)
    assert.equal(answer.json?.type, '/problems/validation')
    assert.deepEqual(
      answer.json.errors?.map(({ pointer }) => pointer),
      pointers,
      query,
    )
  }
  for (const query of [
    'lat=-0&lng=-180',
    'lat=1.0&lng=180&__proto__=1&other=x',
    `lat=${latMax}&lng=0`,
  ]) {
    assert.equal((await get(`/api/locations/nearby?${query}`)).status, 200, query)
  }
  const missing = await get('/api/locations/nearby?lng=1')
  assert.match(missing.json?.detail ?? '', /^#\/lat is missing: it must be a number from -85\.05/)
  assert.equal((await get('/api/locations/nearby', { method: 'POST' })).status, 405)
})

test('a position is read strictly, and its two ends meet', () => {
  assert.deepEqual(readPosition('180,85.05112878'), { lng: -180, lat: 85.05112877 })
  assert.deepEqual(readPosition('-122.193849,38.10476999999999'), {
    lng: -122.193849,
    lat: 38.10476999999999,
  })
  const wrong = [
    '',
    '1',
    '1,',
    '1,2,3',
    ' 1,2',
    '1, 2',
    '1e1,2',
    '181,0',
    '0,85.06',
    '0,90',
    'a,b',
    'NaN,1',
  ]
  for (const field of [...wrong, 5, null, undefined, true]) {
    assert.equal(readPosition(field), undefined, String(field))
  }
})

const earthRadius = 6_372_797.560856

/** The great-circle distance in metres, as Redis computes it. */
function distance(a: { lng: number; lat: number }, b: { lng: number; lat: number }): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const lat = Math.sin(radians(b.lat - a.lat) / 2)
  const lng = Math.sin(radians(b.lng - a.lng) / 2)
  const chord = lat * lat + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * lng * lng
  return 2 * earthRadius * Math.asin(Math.sqrt(chord))
}

/** Where it is hardest: both sides of the antimeridian, near the poles, and close together. */
const regions = [
  { lng: [-180, -179.5], lat: [-1, 1] },
  { lng: [179.5, 180], lat: [-1, 1] },
  { lng: [-180, 180], lat: [84.5, latMax] },
  { lng: [-180, 180], lat: [-latMax, -84.5] },
  { lng: [-0.3, 0.3], lat: [-0.3, 0.3] },
] as const

const point = fc.constantFrom(...regions).chain(({ lng, lat }) =>
  fc.record({
    lng: fc.oneof(fc.constantFrom(...lng), between(lng)),
    lat: fc.oneof(fc.constantFrom(...lat), between(lat)),
  }),
)

function between([min, max]: readonly [number, number]): fc.Arbitrary<number> {
  return fc.integer({ min: Math.ceil(min * 1e6), max: Math.floor(max * 1e6) }).map((n) => n / 1e6)
}

for (const kind of serverKinds()) {
  test(`nearby finds what measuring every distance finds, also at poles and antimeridian, on ${kind}`, async (t) => {
    const { get, redis, millrace, model } = await readingStage(t, {}, { redis: { kind } })
    const points = fc.array(point, { minLength: 1, maxLength: 25 })
    const radius = fc.constantFrom(1, 500, 20_000, 100_000)
    await fc.assert(
      fc.asyncProperty(points, point, radius, async (some, at, metres) => {
        await redis.send('FLUSHALL')
        const locations = some.map(({ lng, lat }, index) =>
          locationOf(index + 1, { location: `${lng},${lat}` }),
        )
        for (const { id, name } of locations) {
          await redis.send('HSET', `ncc:locations:${String(id)}`, 'name', String(name))
        }
        await indexLoaded(millrace, model, { users: [], locations })
        const found = new Set(idsOf(await get(path({ ...at, radius: metres, limit: 100 }))))
        for (const [index, place] of some.entries()) {
          const away = distance(at, place)
          // The index keeps 52 bits of a position: off by less than a metre.
          if (Math.abs(away - metres) < 1) continue
          assert.equal(found.has(index + 1), away < metres, JSON.stringify({ at, place, away }))
        }
      }),
      { numRuns: propertyRuns(150, kind) },
    )
  })
}
