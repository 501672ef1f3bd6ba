import type { FastifyInstance } from 'fastify'
import { starsMax } from '../../domain/checkins.ts'
import { latMax, lngMax, positionAt, type Position } from '../../domain/position.ts'
import { describeHashes, type DescribedHash } from './described-hashes.ts'
import { jsonAnswer, type RouteDocumentation } from '../http/documentation.ts'
import { numberOr } from './numbers.ts'
import type { ReceiverParts } from '../parts.ts'
import { sendProblem } from '../http/problem.ts'
import { Query } from './query.ts'
import { resource } from '../http/resources.ts'

const radiusMax = 100_000
const radiusDefault = 5000
const limitMax = 100
const limitDefault = 20
const categoryLengthMax = 64

// With a filter this many of the nearest are looked at, in steps of which each is one pipelined call.
const candidatesMax = 1000
const candidatesAtOnce = 100

const fields = ['name', 'category', 'location', 'numCheckins', 'numStars', 'averageStars']

/** `GET /api/locations/nearby`: the locations around a point, nearest first. */
export function nearbyRoute(app: FastifyInstance, parts: ReceiverParts): void {
  resource(app, ['/api/locations/nearby'], {
    method: 'GET',
    requires: 'read',
    schema: documentation,
    handler: async (request, reply) => {
      const query = new Query(request.query)
      const wanted = readWanted(query)
      if (query.problem !== undefined) return sendProblem(reply, query.problem)
      return await findNearby(parts, wanted)
    },
  })
}

interface Wanted {
  readonly center: Position
  /** Metres. */
  readonly radius: number
  readonly limit: number
  readonly category: string | undefined
  readonly minStars: number | undefined
}

function readWanted(query: Query): Wanted {
  const lat = query.decimal('lat', { min: -latMax, max: latMax })
  const lng = query.decimal('lng', { min: -lngMax, max: lngMax })
  return {
    // A center that is none is never used: the query has a problem then.
    center: positionAt(lng, lat) ?? { lng: 0, lat: 0 },
    radius: query.integer('radius', { min: 1, max: radiusMax }) ?? radiusDefault,
    limit: query.integer('limit', { min: 1, max: limitMax }) ?? limitDefault,
    category: query.text('category', categoryLengthMax),
    minStars: query.integer('minStars', { min: 0, max: starsMax }),
  }
}

type Found = DescribedHash & { readonly id: Shown; readonly distance: number }
type Shown = number | string | null

interface Nearby {
  readonly locations: readonly Found[]
  readonly isComplete: boolean
}

async function findNearby(parts: ReceiverParts, wanted: Wanted): Promise<Nearby> {
  const { limit } = wanted
  const isFiltered = wanted.category !== undefined || wanted.minStars !== undefined
  const most = isFiltered ? candidatesMax : limit + 1
  const candidates = await nearest(parts, wanted, most)
  const found: Found[] = []
  for (let at = 0; at < candidates.length && found.length <= limit; at += candidatesAtOnce) {
    const some = candidates.slice(at, at + candidatesAtOnce)
    const keys = some.map(([id]) => parts.model.locationKey(id))
    const hashes = await describeHashes(parts, keys, fields)
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
  { millrace, calls, model }: ReceiverParts,
  { center, radius }: Wanted,
  most: number,
): Promise<[id: string, distance: number][]> {
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
  querystring: {
    type: 'object',
    required: ['lat', 'lng'],
    properties: {
      lat: {
        type: 'number',
        minimum: -latMax,
        maximum: latMax,
        description: 'Degrees; nearer to the poles the index holds nothing',
      },
      lng: { type: 'number', minimum: -lngMax, maximum: lngMax, description: 'Degrees' },
      radius: {
        type: 'integer',
        minimum: 1,
        maximum: radiusMax,
        default: radiusDefault,
        description: 'Metres',
      },
      limit: { type: 'integer', minimum: 1, maximum: limitMax, default: limitDefault },
      category: {
        type: 'string',
        minLength: 1,
        maxLength: categoryLengthMax,
        description: 'Only locations of exactly this category',
      },
      minStars: {
        type: 'integer',
        minimum: 0,
        maximum: starsMax,
        description: 'Only locations with averageStars of at least this',
      },
    },
  },
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
