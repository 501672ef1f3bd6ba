/**
 * What the routes say about themselves. Promise: a schema is documentation and nothing else: it never refuses a request and
 * never changes an answer. Tests hold the answers against it.
 */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { isReading, resource, type Requirement } from './resources.ts'
import { problemMediaType } from './problem.ts'

/** Plain JSON Schema (2020-12, as OpenAPI 3.1 has it). */
export type JsonSchema = Readonly<Record<string, unknown>>

/** One status of a route: `content` by media type, as in OpenAPI. */
export interface AnswerDocumentation {
  readonly description: string
  readonly headers?: Readonly<Record<string, JsonSchema>>
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

/**
 * The documentation of a route; it stands beside its handler. Every status that the handler itself sends is named here; what
 * the foundation sends (wrong key, too many requests, body too long, store away) is added for all routes alike.
 */
export interface RouteDocumentation {
  readonly summary: string
  readonly description?: string
  readonly tags: readonly ['check-ins' | 'reading' | 'operation']
  readonly params?: JsonSchema
  readonly querystring?: JsonSchema
  readonly headers?: JsonSchema
  /** A schema of JSON, or `{ content: { 'media/type': { schema } } }` where there are several. */
  readonly body?: JsonSchema
  readonly response: Readonly<Record<number, AnswerDocumentation>>
}

/** The id of an entry of the stream. */
export const entryIdSchema: JsonSchema = {
  type: 'string',
  pattern: '^\\d+-\\d+$',
  examples: ['1764000000123-0'],
}

/** A JSON answer. */
export function jsonAnswer(
  description: string,
  schema: JsonSchema,
  headers?: AnswerDocumentation['headers'],
): AnswerDocumentation {
  const content = { 'application/json': { schema } }
  return headers === undefined ? { description, content } : { description, headers, content }
}

/** A problem of RFC 9457. */
export function problemAnswer(description: string): AnswerDocumentation {
  return { description, content: { [problemMediaType]: { schema: { $ref: 'Problem#' } } } }
}

/** Problem answers by status, to be spread into `response`. */
export function problemAnswers(
  descriptions: Readonly<Record<number, string>>,
): Record<number, AnswerDocumentation> {
  return Object.fromEntries(
    Object.entries(descriptions).map(([status, text]) => [Number(status), problemAnswer(text)]),
  )
}

const problemSchema = {
  $id: 'Problem',
  type: 'object',
  description: 'Problem details of RFC 9457.',
  required: ['type', 'title', 'status', 'detail', 'requestId'],
  properties: {
    type: { type: 'string', description: 'Stable; programs compare it.' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    requestId: { type: 'string', description: 'As in the header X-Request-Id.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer as a URI fragment (RFC 6901).' },
          detail: { type: 'string' },
        },
        additionalProperties: false,
      },
    },
  },
} as const

const everyRoute = problemAnswers({
  400: 'The request is not as it should be',
  421: 'The host in the request is not one of this receiver',
  500: 'Something is wrong in the receiver or the store',
})
const withBody = problemAnswers({
  408: 'The request did not arrive in time',
  413: 'The body is too long',
  415: 'The body has the wrong media type, or an encoding',
})
const guarded = problemAnswers({
  401: 'The API key or token is missing or not valid',
  403: 'The API key or token does not allow this',
  429: 'Too many requests, or too many check-ins wait to be processed',
  503: 'The store cannot be used now, or there is too much to do',
})

const tagged = {
  // Of type null: without a body.
  304: { type: 'null', description: 'The client has this answer: its ETag is in If-None-Match' },
}

/** The documentation of a route, with what every route of its kind may answer. */
function completed(
  documentation: RouteDocumentation,
  method: string,
  requires: Requirement,
): FastifySchema {
  const common = {
    ...everyRoute,
    ...(method === 'POST' ? withBody : {}),
    ...(isReading(requires) ? tagged : {}),
    ...(requires === 'nothing' ? {} : guarded),
  }
  const security = requires === 'nothing' ? [] : [{ bearer: [requires] }]
  return { ...documentation, security, response: { ...common, ...documentation.response } }
}

const info = {
  title: 'Millrace check-ins',
  version: '0.1.0',
  description:
    'Takes check-ins and appends them to a Redis Stream. A method that an address does not have is answered with 405 and ' +
    'Allow, any other address with 404, both with a problem.',
}

/** Collects the documentation of all routes that are added afterwards, in a plugin. To be called first. */
export function collectDocumentation(app: FastifyInstance): void {
  app.addSchema(problemSchema)
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      servers: [{ url: '/' }],
      tags: [
        { name: 'check-ins', description: 'Sending check-ins, and what became of them' },
        { name: 'reading', description: 'Users, locations, leaderboards' },
        { name: 'operation', description: 'For supervisors, monitoring and developers' },
      ],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key (`mr_...`) or a JWT; not needed while the receiver is open.',
          },
        },
      },
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, index) =>
        typeof $id === 'string' ? $id : `def-${index}`,
    },
    transform: ({ url, route }) => {
      const { documentation, requires = 'nothing' } = route.config ?? {}
      return documentation === undefined
        ? { schema: { hide: true }, url }
        : { schema: completed(documentation, String(route.method), requires), url }
    },
  })
}

const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/** `GET /openapi.json`, and a page for people at `/docs`, from this process alone. */
export function documentationRoutes(app: FastifyInstance): void {
  let text: string | undefined
  resource(app, ['/openapi.json'], {
    method: 'GET',
    requires: 'nothing',
    schema: {
      summary: 'This document',
      tags: ['operation'],
      response: { 200: jsonAnswer('OpenAPI 3.1', { type: 'object' }) },
    },
    handler: (_request, reply) => {
      text ??= JSON.stringify(app.swagger())
      return reply.type('application/json; charset=utf-8').send(text)
    },
  })
  void app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: pagePolicy,
    theme: { title: info.title },
  })
}
