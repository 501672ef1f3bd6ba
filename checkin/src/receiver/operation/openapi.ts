/** The OpenAPI document: put together from what the routes say of themselves, and served. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { completed } from './common-answers.ts'
import { jsonAnswer, type JsonSchema, type SchemaName } from '../http/documentation.ts'
import { resource } from '../http/resources.ts'

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

const info = {
  title: 'Millrace check-ins',
  version: '0.1.0',
  license: { name: 'MIT', identifier: 'MIT' },
  contact: { name: 'The Millrace developers' },
  description:
    'Takes check-ins and appends them to a Redis Stream. Every error is a problem of RFC 9457, and every answer has an ' +
    'X-Request-Id. Any other address is answered with 404. The roles that an operation asks of `bearer` are scopes.',
}

const tags = [
  { name: 'check-ins', description: 'Sending check-ins, and what became of them' },
  { name: 'reading', description: 'Users, locations, leaderboards' },
  { name: 'operation', description: 'For supervisors, monitoring and developers' },
]

const bearer = {
  type: 'http',
  scheme: 'bearer',
  description:
    'An API key (`mr_...`) or a JWT; not needed while the receiver is open. A key with the scope `read` has `read-all`, too.',
} as const

/**
 * Collects the documentation of all routes that are added afterwards, in a plugin. To be called first.
 * @param schemas by the names that `named` refers to.
 */
export function collectDocumentation(
  app: FastifyInstance,
  schemas: Readonly<Record<Exclude<SchemaName, 'Problem'>, JsonSchema>>,
): void {
  app.addSchema(problemSchema)
  for (const [name, schema] of Object.entries(schemas)) app.addSchema({ ...schema, $id: name })
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      servers: [{ url: '/', description: 'The receiver that this document comes from' }],
      tags,
      components: { securitySchemes: { bearer } },
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, index) =>
        typeof $id === 'string' ? $id : `def-${index}`,
    },
    transform: ({ url, route }) => {
      const { documentation, requires = 'nothing', isAlias = false } = route.config ?? {}
      if (documentation === undefined) return { schema: { hide: true }, url }
      return { schema: completed(documentation, { method: route.method, requires, isAlias }), url }
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
      operationId: 'getOpenApi',
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
