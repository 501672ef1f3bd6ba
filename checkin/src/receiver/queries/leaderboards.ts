import type { FastifyInstance } from 'fastify'
import type { RankingPlace } from 'millrace'
import { z } from 'zod'
import { describeHashes } from './described-hashes.ts'
import { jsonAnswer, type JsonSchema, type RouteDocumentation } from '../http/documentation.ts'
import { numberOr } from './numbers.ts'
import { choiceParameter, integerParameter, readParameter } from '../http/parameters.ts'
import { resource } from '../http/resources.ts'
import type { Store } from './store.ts'

const cursorLengthMax = 200
const cursorAllowed = 'must be "next" of a page of this leaderboard'

/** What may be asked of a leaderboard. */
function queryOf({ nouns, rankings: [first, ...others] }: Board) {
  return z
    .object({
      by: choiceParameter([first.by, ...others.map(({ by }) => by)]).default(first.by),
      limit: integerParameter(1, 100).default(20),
      cursor: readParameter(cursorAllowed, decodeCursor)
        .describe('`next` of the page before')
        .optional(),
    })
    .refine(({ by, cursor }) => cursor === undefined || cursor.board === `${nouns}:${by}`, {
      path: ['cursor'],
      error: cursorAllowed,
    })
}

/** One leaderboard: of what, and by what. */
interface Board {
  readonly nouns: 'users' | 'locations'
  /** Value of `by` to the ranking; the first is the default. */
  readonly rankings: readonly [Choice, ...Choice[]]
  readonly keyOf: (id: string) => string
  /** Fields of the hash that say what it is. The numbers are in the score, so that a page agrees with itself. */
  readonly fields: readonly string[]
}

type BoardStore = Store<'rankingPage' | 'send'>

interface Choice {
  readonly by: string
  readonly key: string
}

/** `GET /api/leaderboards/locations` and `/api/leaderboards/users`: pages of the rankings that the processors keep. */
export function leaderboardRoutes(app: FastifyInstance, parts: BoardStore): void {
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

function boardRoute(app: FastifyInstance, parts: BoardStore, board: Board): void {
  const [first] = board.rankings
  resource(app, [`/api/leaderboards/${board.nouns}`], {
    method: 'GET',
    requires: 'read',
    query: queryOf(board),
    schema: documentationOf(board),
    handler: (request) => {
      const { by, limit, cursor } = request.query
      const { key } = board.rankings.find((ranking) => ranking.by === by) ?? first
      return page(parts, board, { by, key, limit, after: cursor?.place })
    },
  })
}

interface Wanted extends Choice {
  readonly limit: number
  readonly after: RankingPlace | undefined
}

async function page(
  parts: BoardStore,
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

/** The place after which the next page begins, as a text that clients give back as it is. */
function encodeCursor(board: string, { score, member }: RankingPlace): string {
  return Buffer.from(`${board} ${score} ${member}`).toString('base64url')
}

/** Reads a cursor back, of whichever leaderboard; undefined when it is none. */
function decodeCursor(
  cursor: string,
): { readonly board: string; readonly place: RankingPlace } | undefined {
  if (cursor.length > cursorLengthMax) return undefined
  const text = Buffer.from(cursor, 'base64url').toString()
  const [, board, score, member = ''] = /^(\S+) (-?\d{1,21}) (\d{1,16})$/.exec(text) ?? []
  if (board === undefined) return undefined
  const place = { score: Number(score), member }
  // Only what `encodeCursor` writes: the decoder of Node skips what it does not know.
  return encodeCursor(board, place) === cursor ? { board, place } : undefined
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
