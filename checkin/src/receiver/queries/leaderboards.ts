import type { FastifyInstance } from 'fastify'
import type { RankingPlace } from 'millrace'
import { describeHashes } from './described-hashes.ts'
import { jsonAnswer, type JsonSchema, type RouteDocumentation } from '../http/documentation.ts'
import { decodeCursor, encodeCursor } from './leaderboard-cursor.ts'
import { numberOr } from './numbers.ts'
import type { ReceiverParts } from '../parts.ts'
import { sendProblem } from '../http/problem.ts'
import { Query } from './query.ts'
import { resource } from '../http/resources.ts'

const limitMax = 100
const limitDefault = 20
const cursorLengthMax = 200

/** One leaderboard: of what, and by what. */
interface Board {
  readonly nouns: 'users' | 'locations'
  /** Value of `by` to the ranking; the first is the default. */
  readonly rankings: readonly [Choice, ...Choice[]]
  readonly keyOf: (id: string) => string
  /** Fields of the hash that say what it is. The numbers are in the score, so that a page agrees with itself. */
  readonly fields: readonly string[]
}

interface Choice {
  readonly by: string
  readonly key: string
}

/** `GET /api/leaderboards/locations` and `/api/leaderboards/users`: pages of the rankings that the processors keep. */
export function leaderboardRoutes(app: FastifyInstance, parts: ReceiverParts): void {
  const { users, locations, userKey, locationKey } = parts.model
  boardRoute(app, parts, {
    nouns: 'locations',
    rankings: [
      { by: 'stars', key: locations.rankings.numStars ?? '' },
      { by: 'checkins', key: locations.rankings.numCheckins ?? '' },
    ],
    keyOf: locationKey,
    fields: ['name', 'category', 'location'],
  })
  boardRoute(app, parts, {
    nouns: 'users',
    rankings: [{ by: 'checkins', key: users.rankings.numCheckins ?? '' }],
    keyOf: userKey,
    fields: ['firstName', 'lastName'],
  })
}

function boardRoute(app: FastifyInstance, parts: ReceiverParts, board: Board): void {
  const [first, ...others] = board.rankings
  resource(app, [`/api/leaderboards/${board.nouns}`], {
    method: 'GET',
    requires: 'read',
    schema: documentationOf(board),
    handler: async (request, reply) => {
      const query = new Query(request.query)
      const by = query.choice('by', [first.by, ...others.map((other) => other.by)])
      const limit = query.integer('limit', { min: 1, max: limitMax }) ?? limitDefault
      const after = readCursor(query, `${board.nouns}:${by}`)
      if (query.problem !== undefined) return sendProblem(reply, query.problem)
      const { key } = board.rankings.find((ranking) => ranking.by === by) ?? first
      return await page(parts, board, { by, key, limit, after })
    },
  })
}

function readCursor(query: Query, board: string): RankingPlace | undefined {
  const cursor = query.text('cursor', cursorLengthMax)
  if (cursor === undefined) return undefined
  const place = decodeCursor(board, cursor)
  if (place === undefined) query.wrong('cursor', 'must be "next" of a page of this leaderboard')
  return place
}

interface Wanted extends Choice {
  readonly limit: number
  readonly after: RankingPlace | undefined
}

async function page(
  parts: ReceiverParts,
  { nouns, keyOf, fields }: Board,
  { by, key, limit, after }: Wanted,
): Promise<Record<string, unknown>> {
  const options = after === undefined ? { limit } : { limit, after }
  const { total, standings, isMore } = await parts.calls.run(() =>
    parts.millrace.rankingPage(key, options),
  )
  const keys = standings.map(({ member }) => keyOf(member))
  const hashes = await describeHashes(parts, keys, fields)
  const last = standings.at(-1)
  return {
    by,
    total,
    [nouns]: standings.map(({ rank, member, score }, at) => ({
      rank,
      id: numberOr(member),
      score,
      ...hashes[at],
    })),
    next: isMore && last !== undefined ? encodeCursor(`${nouns}:${by}`, last) : null,
  }
}

function documentationOf({ nouns, rankings, fields }: Board): RouteDocumentation {
  const choices = rankings.map(({ by }) => by)
  const described = fields.map((field): [string, JsonSchema] => [field, { type: 'string' }])
  return {
    operationId: nouns === 'users' ? 'listTopUsers' : 'listTopLocations',
    summary: `The ${nouns} with the most ${choices.join(' or ')}`,
    description:
      'Equal scores have an order of their own, so pages neither skip nor repeat. While scores move, a page goes on ' +
      'after the place where the one before has ended.',
    tags: ['reading'],
    querystring: {
      type: 'object',
      properties: {
        by: { enum: choices, default: choices[0] },
        limit: { type: 'integer', minimum: 1, maximum: limitMax, default: limitDefault },
        cursor: { type: 'string', description: '`next` of the page before' },
      },
    },
    response: {
      200: jsonAnswer('`next`: null on the last page', {
        type: 'object',
        required: ['by', 'total', nouns, 'next'],
        properties: {
          by: { enum: choices },
          total: { type: 'integer', minimum: 0, description: `How many ${nouns} are ranked` },
          [nouns]: {
            type: 'array',
            items: {
              type: 'object',
              required: ['rank', 'id', 'score'],
              properties: {
                rank: { type: 'integer', minimum: 1 },
                id: { type: 'integer' },
                score: { type: 'integer' },
                ...Object.fromEntries(described),
              },
              additionalProperties: false,
            },
          },
          next: { type: ['string', 'null'] },
        },
        additionalProperties: false,
      }),
    },
  }
}
