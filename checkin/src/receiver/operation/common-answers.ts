/** What all routes of a kind may answer and ask for, beyond what each says of itself. */
import type { FastifySchema } from 'fastify'
import {
  problemAnswers,
  type AnswerDocumentation,
  type JsonSchema,
  type RouteDocumentation,
} from '../http/documentation.ts'
import { isReading, type DocumentedRoute, type Requirement } from '../http/resources.ts'

const everyRoute = problemAnswers({
  400: 'The request is not as it should be',
  405: 'The address does not have this method',
  408: 'The request did not arrive in time',
  417: 'What the header Expect asks for cannot be met',
  421: 'The host in the request is not one of this receiver',
  431: 'The headers are too long',
  500: 'Something is wrong in the receiver or the store',
  501: 'The Transfer-Encoding is not understood',
})
const withBody = problemAnswers({
  413: 'The body is too long',
  415: 'The body has the wrong media type, or an encoding',
})
const guarded = problemAnswers({
  401: 'The API key or token is missing or not valid',
  403: 'The API key or token does not allow this',
  429: 'Too many requests, or too many check-ins wait to be processed',
  503: 'The store cannot be used now, or there is too much to do',
})
/** Given before anybody asks who sends the request. */
const beforeGuard: ReadonlySet<number> = new Set([405, 408, 417, 421, 431, 501])

const tagged = {
  // Of type null: without a body.
  304: { type: 'null', description: 'The client has this answer: its ETag is in If-None-Match' },
}
const ifNoneMatch = {
  type: 'string',
  description: 'ETags of answers that the client has; one of them still holds: 304',
}

const text = (description: string): JsonSchema => ({ type: 'string', description })

const requestId = { 'X-Request-Id': text('The id of the request, as the log has it') }
const rateLimits = {
  'RateLimit-Policy': text('With a rate limit: `"default";q=100;w=1`, 100 requests within 1 s'),
  RateLimit: text('With a rate limit: `"default";r=42;t=1`, 42 are left, all again in 1 s'),
}
const stored = {
  ETag: text('Of this body'),
  'Cache-Control': text('`private, no-cache`: may be kept, and is to be asked for again'),
}
const unstored = { 'Cache-Control': text('`no-store`') }
const challenge = { 'WWW-Authenticate': text('RFC 6750; for a missing scope with its name') }
const allow = { Allow: text('The methods that it has') }
const retryAfter = {
  'Retry-After': { type: 'integer', minimum: 1, description: 'Seconds until it makes sense' },
}

interface Kind {
  readonly method: string | readonly string[]
  readonly requires: Requirement
  /** True: kept for clients that know an older address. */
  readonly isAlias: boolean
}

/** The documentation of a route, with what every route of its kind may answer. */
export function completed(
  { isUnstored, ...documentation }: DocumentedRoute,
  { method, requires, isAlias }: Kind,
): FastifySchema {
  const isTagged = isReading(requires) && isUnstored !== true
  const answers: Readonly<Record<string, AnswerDocumentation>> = {
    ...everyRoute,
    ...(method === 'POST' ? withBody : {}),
    ...(isTagged ? tagged : {}),
    ...(requires === 'nothing' ? {} : guarded),
    ...documentation.response,
  }
  const response = Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => {
      const headers = { ...headersOf(Number(status), requires, isTagged), ...answer.headers }
      return [status, { ...answer, headers }]
    }),
  )
  const { operationId, description = '' } = documentation
  return {
    ...documentation,
    ...(isTagged ? { headers: withTag(documentation.headers) } : {}),
    ...(isAlias ? { operationId: `${operationId}Alias`, deprecated: true } : {}),
    description: `${description} ${access[requires]}`.trim(),
    security: requires === 'nothing' ? [] : [{ bearer: [requires] }],
    response,
  }
}

const access: Readonly<Record<Requirement, string>> = {
  nothing: 'Asks for no key or token: it tells of no user and no check-in.',
  ingest: 'Asks for the scope `ingest`.',
  read: 'Asks for the scope `read`.',
  'read-all': 'Asks a token for the scope `read-all`, an API key for `read`.',
  metrics: 'Asks for the scope `metrics`.',
}

function headersOf(
  status: number,
  requires: Requirement,
  isTagged: boolean,
): Readonly<Record<string, JsonSchema>> {
  const isUnguarded = requires === 'nothing' || beforeGuard.has(status)
  const isRead = isReading(requires) && (status === 200 || status === 304)
  const caching = isTagged ? stored : unstored
  return {
    ...requestId,
    ...(status === 405 ? allow : {}),
    ...(isUnguarded ? {} : { ...rateLimits, ...ofStatus[status] }),
    ...(isRead ? caching : {}),
  }
}

const ofStatus: Readonly<Record<number, Readonly<Record<string, JsonSchema>>>> = {
  401: challenge,
  403: challenge,
  409: retryAfter,
  429: retryAfter,
  503: retryAfter,
}

function withTag(headers: RouteDocumentation['headers']): RouteDocumentation['headers'] {
  return {
    type: 'object',
    properties: { ...headers?.properties, 'if-none-match': ifNoneMatch },
  }
}
