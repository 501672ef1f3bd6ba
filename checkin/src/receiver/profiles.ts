import type { FastifyInstance } from 'fastify'
import { jsonAnswer, problemAnswers } from './documentation.ts'
import { numberOr, readId } from './numbers.ts'
import type { ReceiverParts } from './parts.ts'
import { plainProblem, sendProblem } from './problem.ts'
import { resource } from './resources.ts'

/** `GET /api/users/:id` and `/api/locations/:id`: the hash of a user or location. `/api/user` and `/api/location` are aliases. */
export function profileRoutes(app: FastifyInstance, parts: ReceiverParts): void {
  const { userKey, locationKey } = parts.model
  hashRoute(app, parts, ['/api/users/:id', '/api/user/:id'], { noun: 'user', keyOf: userKey })
  hashRoute(app, parts, ['/api/locations/:id', '/api/location/:id'], {
    noun: 'location',
    keyOf: locationKey,
  })
}

function hashRoute(
  app: FastifyInstance,
  { millrace, calls }: ReceiverParts,
  urls: readonly [string, string],
  { noun, keyOf }: { readonly noun: string; readonly keyOf: (id: number) => string },
): void {
  resource(app, urls, {
    method: 'GET',
    requires: 'read',
    schema: {
      summary: `What is known of a ${noun}`,
      tags: ['reading'],
      params: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
      response: {
        200: jsonAnswer('The fields of its hash; counters are integers', {
          type: 'object',
          required: ['id'],
          properties: { id: { type: 'integer' } },
          additionalProperties: { type: ['integer', 'string'] },
        }),
        ...problemAnswers({ 404: `There is no ${noun} with this id` }),
      },
    },
    handler: async (request, reply) => {
      const id = readId((request.params as { id: string }).id)
      if (id === undefined) return sendProblem(reply, wrongId)
      const flat = (await calls.run(() => millrace.send('HGETALL', keyOf(id)))) as string[]
      if (flat.length === 0) return sendProblem(reply, unknownId)
      return shownHash(id, flat)
    },
  })
}

const wrongId = plainProblem(400, `The id must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}`)
const unknownId = plainProblem(404, 'There is none with this id')

const numeric = new Set([
  'numCheckins',
  'lastCheckin',
  'lastSeenAt',
  'numStars',
  'averageStars',
] as const satisfies string[])

/** The fields of the hash, without secrets and without what the engine notes for itself (names that begin with `@`). */
function shownHash(id: number, flat: readonly string[]): Record<string, unknown> {
  // Without a prototype, a field named `__proto__` is a field like any other.
  const shown = Object.create(null) as Record<string, unknown>
  shown.id = id
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [name = '', value = ''] = [flat[at], flat[at + 1]]
    if (name === 'id' || name === 'password' || name.startsWith('@')) continue
    shown[name] = (numeric as ReadonlySet<string>).has(name) ? numberOr(value) : value
  }
  return shown
}
