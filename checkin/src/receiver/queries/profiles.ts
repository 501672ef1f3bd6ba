import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { jsonAnswer, problemAnswers, type RouteDocumentation } from '../http/documentation.ts'
import { notItsUser, onlyUserOf } from '../access/identity.ts'
import { integerParameter } from '../http/parameters.ts'
import { numberOr } from './numbers.ts'
import { plainProblem, sendProblem, type Problem } from '../http/problem.ts'
import { resource } from '../http/resources.ts'
import type { SecurityLog } from '../access/security-log.ts'
import type { Store } from './store.ts'

export interface ProfileParts extends Store<'send'> {
  /** Fields of users and locations that everybody sees beyond the usual ones. */
  readonly publicFields: readonly string[]
  readonly security: Pick<SecurityLog, 'anotherUser'>
}

/** `GET /api/users/:id` and `/api/locations/:id`: what is public of a user or location. `/api/user` and `/api/location` are aliases. */
export function profileRoutes(app: FastifyInstance, parts: ProfileParts): void {
  const { userKey, locationKey } = parts.model
  hashRoute(app, parts, ['/api/users/:id', '/api/user/:id'], {
    noun: 'user',
    keyOf: userKey,
    shown: ['firstName', 'lastName', 'numCheckins', 'lastCheckin', 'lastSeenAt'],
    personal: ['email'],
    refused: (request, id) => {
      const only = onlyUserOf(request)
      return only === undefined || only === String(id) ? undefined : notItsUser
    },
  })
  hashRoute(app, parts, ['/api/locations/:id', '/api/location/:id'], {
    noun: 'location',
    keyOf: locationKey,
    shown: ['name', 'category', 'location', 'numCheckins', 'numStars', 'averageStars'],
    personal: [],
    refused: () => undefined,
  })
}

const path = z.object({ id: integerParameter(1, Number.MAX_SAFE_INTEGER) })

/** What there is one hash of for each id. */
interface Subject {
  readonly noun: string
  readonly keyOf: (id: number) => string
  /** The fields that whoever may look sees. What else was loaded is nobody's business. */
  readonly shown: readonly string[]
  /** Those for the user's own token, and for the scope `personal`. */
  readonly personal: readonly string[]
  readonly refused: (request: FastifyRequest, id: number) => Problem | undefined
}

function hashRoute(
  app: FastifyInstance,
  { millrace, calls, publicFields, security }: ProfileParts,
  urls: readonly [string, string],
  { noun, keyOf, shown, personal, refused }: Subject,
): void {
  const everybodys = new Set([...shown, ...publicFields])
  const all = new Set([...everybodys, ...personal])
  resource(app, urls, {
    method: 'GET',
    requires: 'read',
    path,
    schema: documentationOf(noun),
    handler: async (request, reply) => {
      const { id } = request.params
      const refusal = refused(request, id)
      if (refusal !== undefined) {
        security.anotherUser(request)
        return sendProblem(reply, refusal)
      }
      const flat = (await calls.run(() => millrace.send('HGETALL', keyOf(id)))) as string[]
      if (flat.length === 0) return sendProblem(reply, unknownId)
      return shownHash(id, flat, seesPersonal(request) ? all : everybodys)
    },
  })
}

function seesPersonal(request: FastifyRequest): boolean {
  // Who may look at one user alone is that user.
  return request.identity?.scopes.has('personal') === true || onlyUserOf(request) !== undefined
}

function documentationOf(noun: string): RouteDocumentation {
  return {
    operationId: noun === 'user' ? 'getUser' : 'getLocation',
    summary: `What is known of a ${noun}`,
    tags: ['reading'],
    response: {
      200: jsonAnswer('The public fields of its hash; counters are integers', {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'integer' } },
        additionalProperties: { type: ['integer', 'string'] },
      }),
      ...problemAnswers({ 404: `There is no ${noun} with this id` }),
    },
  }
}

const unknownId = plainProblem(404, 'There is none with this id')

const numeric = new Set([
  'numCheckins',
  'lastCheckin',
  'lastSeenAt',
  'numStars',
  'averageStars',
] as const satisfies string[])

function shownHash(
  id: number,
  flat: readonly string[],
  allowed: ReadonlySet<string>,
): Record<string, unknown> {
  // Without a prototype, a field named `__proto__` is a field like any other.
  const shown = Object.create(null) as Record<string, unknown>
  shown.id = id
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [name = '', value = ''] = [flat[at], flat[at + 1]]
    if (name === 'id' || !allowed.has(name)) continue
    shown[name] = (numeric as ReadonlySet<string>).has(name) ? numberOr(value) : value
  }
  return shown
}
