import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { starsMax } from '../../domain/checkins.ts'
import { latMax, lngMax, positionAt } from '../../domain/position.ts'
import { describeHashes, type DescribedHash } from './described-hashes.ts'
import { jsonAnswer, type RouteDocumentation } from '../http/documentation.ts'
import { numberOr } from './numbers.ts'
import { decimalParameter, integerParameter, textParameter } from '../http/parameters.ts'
import { resource } from '../http/resources.ts'
import type { Store } from './store.ts'

const query = z.object({
  lat: decimalParameter(-latMax, latMax).describe(
    'Degrees; nearer to the poles the index holds nothing',
  ),
  lng: decimalParameter(-lngMax, lngMax).describe('Degrees'),
  radius: integerParameter(1, 100_000).describe('Metres').default(5000),
  limit: integerParameter(1, 100).default(20),
  category: textParameter(64).describe('Only locations of exactly this category').optional(),
  minStars: integerParameter(0, starsMax)
    .describe('Only locations with averageStars of at least this')
    .optional(),
})
type Wanted = z.output<typeof query>

// With a filter this many of the nearest are looked at, in steps of which each is one pipelined call.
const candidatesMax = 1000
const candidatesAtOnce = 100

const fields = ['name', 'category', 'location', 'numCheckins', 'numStars', 'averageStars']

/** `GET /api/locations/nearby`: the locations around a point, nearest first. */
export function nearbyRoute(app: FastifyInstance, store: Store<'send'>): void {
  resource(app, ['/api/locations/nearby'], {
    method: 'GET',
    requires: 'read',
    query,
    schema: documentation,
    handler: (request) => findNearby(store, request.query),
  })
}

type Found = DescribedHash & { readonly id: Shown; readonly distance: number }
type Shown = number | string | null

interface Nearby {
  readonly locations: readonly Found[]
  readonly isComplete: boolean
}

async function findNearby(store: Store<'send'>, wanted: Wanted): Promise<Nearby> {
  const { limit } = wanted
  const isFiltered = wanted.category !== undefined || wanted.minStars !== undefined
  const most = isFiltered ? candidatesMax : limit + 1
  const candidates = await nearest(store, wanted, most)
  const found: Found[] = []
  for (let at = 0; at < candidates.length && found.length <= limit; at += candidatesAtOnce) {
    const some = candidates.slice(at, at + candidatesAtOnce)
    const keys = some.map(([id]) => store.model.locationKey(id))
    const hashes = await describeHashes(store, keys, fields)
    for (const [index, [id, distance]] of some.entries()) {
      const hash = hashes[index] ?? {}
      if (isWanted(wanted, hash)) found.push({ id: numberOr(id), distance, ...hash })
    }
  }
  const isComplete = found.length <= limit && candidates.length < most
  return { locations: found.slice(0, limit), isComplete }
}

/** Ids and distances in metres. */
async function nearest(
  { millrace, calls, model }: Store<'send'>,
  { lng, lat, radius }: Wanted,
  most: number,
): Promise<[id: string, distance: number][]> {
  // Within these limits there is one.
  const center = positionAt(lng, lat) ?? { lng, lat }
  const from = ['FROMLONLAT', degrees(center.lng), degrees(center.lat)]
  const within = ['BYRADIUS', String(radius), 'm', 'ASC', 'COUNT', String(most), 'WITHDIST']
  const reply = await calls.run(() => millrace.send('GEOSEARCH', model.geoKey, ...from, ...within))
  return (reply as [string, string][]).map(([id, metres]) => [id, Math.round(Number(metres))])
}

/** Without an exponent, which the server would take as well; a thousandth of a millimetre is enough. */
const degrees = (value: number): string => value.toFixed(11)

function isWanted({ category, minStars }: Wanted, hash: DescribedHash): boolean {
  // The hash may be gone since it was indexed.
  if (Object.keys(hash).length === 0) return false
  if (category !== undefined && hash.category !== category) return false
  return minStars === undefined || Number(hash.averageStars ?? NaN) >= minStars
}

const counter = { type: ['integer', 'string'] }
const documentation: RouteDocumentation = {
  operationId: 'listNearbyLocations',
  summary: 'The locations around a point, nearest first',
  description:
    `With \`category\` or \`minStars\` the nearest ${candidatesMax} within the radius are looked at. A parameter that is ` +
    'not named here is ignored; one that stands twice is refused.',
  tags: ['reading'],
  response: {
    200: jsonAnswer(
      '`isComplete`: false when there may be more within the radius. A field that the hash does not have is missing',
      {
        type: 'object',
        required: ['locations', 'isComplete'],
        properties: {
          locations: {
            type: 'array',
            items: {
              type: 'object',
              required: ['id', 'distance'],
              properties: {
                id: { type: 'integer' },
                distance: { type: 'integer', minimum: 0, description: 'Metres' },
                name: { type: 'string' },
                category: { type: 'string' },
                location: { type: 'string', description: '"longitude,latitude"' },
                numCheckins: counter,
                numStars: counter,
                averageStars: counter,
              },
              additionalProperties: false,
            },
          },
          isComplete: { type: 'boolean' },
        },
        additionalProperties: false,
      },
    ),
  },
}
