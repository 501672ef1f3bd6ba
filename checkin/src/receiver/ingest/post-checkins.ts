/** `POST /api/checkins`: many check-ins in one request, as a JSON array or as a stream of lines; `/api/checkins/stream`: lines alone. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { endConnection, whenOver } from '../http/answer-order.ts'
import { batchDocumentation, itemsMax, streamDocumentation } from './batch-documentation.ts'
import {
  problemResult,
  readItem,
  resultOf,
  type CheckinItem,
  type ItemResult,
  type Sender,
} from './batch-item.ts'
import { refuseBeforeBody } from '../limits/before-body.ts'
import {
  heldBack,
  keyHeader,
  keyInFlight,
  malformedKey,
  scopedKey,
  type KeysInFlight,
} from './idempotency-key.ts'
import { outcomeOf } from '../metrics/metrics.ts'
import { ndjsonMediaTypes, serveNdjson } from './ndjson-route.ts'
import type { SecurityLog } from '../access/security-log.ts'
import { payFor } from '../access/rate-limit.ts'
import {
  invalidProblem,
  plainProblem,
  sendProblem,
  wrongParameters,
  type Problem,
} from '../http/problem.ts'
import { choiceParameter, type Parameters } from '../http/parameters.ts'
import { refuseEarly, resource, type ResourceRoute } from '../http/resources.ts'
import type { StreamParts } from './ndjson-route.ts'

/** Bytes that a batch may have; a stream of lines has no such limit. */
const batchMaxBytes = 1024 * 1024

const query = z.object({
  atomic: choiceParameter(['false', 'true'])
    .describe('true: all of an array are recorded or none')
    .default('false'),
})

const streamQuery = z.object({
  atomic: choiceParameter(['false'])
    .describe('All or nothing is for arrays: a stream is recorded as it comes')
    .default('false'),
})

export interface BatchParts extends StreamParts {
  readonly keysInFlight: KeysInFlight
  readonly security: Pick<SecurityLog, 'anotherUser' | 'tooFast'>
}

/**
 * `POST` takes batches; the address for streams alone is one that generated clients have types for.
 * @param page what `GET` does at the address of batches.
 */
export function batchRoutes<Page extends Parameters>(
  app: FastifyInstance,
  parts: BatchParts,
  page: ResourceRoute<Page>,
): void {
  // In a plugin of its own: no other route is to be given a stream for a body.
  void app.register((routes, _options, registered) => {
    routes.addContentTypeParser(ndjsonMediaTypes, (_request, payload, done) => done(null, payload))
    resource(routes, ['/api/checkins'], page, batchRoute(parts))
    resource(routes, ['/api/checkins/stream'], {
      method: 'POST',
      requires: 'ingest',
      query: streamQuery,
      schema: streamDocumentation,
      onRequest: [refuseOtherThanLines, refuseBeforeBody(parts)],
      handler: (request, reply) => serve(request, reply, parts),
    })
    registered()
  })
}

function batchRoute(parts: BatchParts): ResourceRoute<typeof query> {
  return {
    method: 'POST',
    requires: 'ingest',
    query,
    schema: batchDocumentation,
    bodyLimit: batchMaxBytes,
    onRequest: refuseBeforeBody(parts),
    handler: (request, reply) => serve(request, reply, parts),
  }
}

function refuseOtherThanLines(
  request: FastifyRequest,
  reply: FastifyReply,
  done: () => void,
): void {
  if (isNdjson(request)) done()
  else refuseEarly(request, reply, notLines)
}

async function serve(
  request: FastifyRequest<{ Querystring: z.output<typeof query | typeof streamQuery> }>,
  reply: FastifyReply,
  parts: BatchParts,
): Promise<FastifyReply> {
  const isAtomic = request.query.atomic === 'true'
  const header = keyHeader(request.headers)
  if (header.kind === 'malformed') return sendProblem(reply, malformedKey)
  const batchKey = header.kind === 'key' ? header.key : undefined
  const onAnotherUser = (): void => parts.security.anotherUser(request)
  const sender: Sender = { identity: request.identity, batchKey, onAnotherUser }
  const giveBack =
    batchKey === undefined
      ? nothing
      : parts.keysInFlight.take(scopedKey(request.identity, `batch ${batchKey}`))
  if (giveBack === undefined) return sendProblem(reply.header('retry-after', 1), keyInFlight)
  if (isNdjson(request)) {
    whenOver(reply.raw, giveBack)
    if (isAtomic) {
      endConnection(reply.raw)
      return sendProblem(reply, atomicStream)
    }
    return await serveNdjson(request, reply, { parts, sender })
  }
  try {
    return await serveArray(request, reply, { parts, sender, isAtomic })
  } finally {
    giveBack()
  }
}

const nothing = (): void => undefined

function isNdjson({ headers }: FastifyRequest): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';')
  return ndjsonMediaTypes.includes(type.trim().toLowerCase())
}

interface ArrayBatch {
  readonly parts: BatchParts
  readonly sender: Sender
  readonly isAtomic: boolean
}

async function serveArray(
  request: FastifyRequest,
  reply: FastifyReply,
  { parts, sender, isAtomic }: ArrayBatch,
): Promise<FastifyReply> {
  const { body } = request
  if (!Array.isArray(body) || body.length === 0) return sendProblem(reply, notAnArray)
  if (body.length > itemsMax) return sendProblem(reply, tooMany)
  // The request itself has paid for the first.
  const cost = body.length - 1
  const tooFast = await payFor(request, reply, { buckets: parts.buckets, cost })
  if (tooFast !== undefined) {
    parts.security.tooFast(request)
    return sendProblem(reply, tooFast)
  }
  const results: ItemResult[] = []
  const items: CheckinItem[] = []
  const places: number[] = []
  for (const [index, value] of body.entries()) {
    const reading = readItem(value, index, sender)
    if ('problem' in reading) {
      results[index] = problemResult(reading.problem, index)
    } else {
      items.push(reading.item)
      places.push(index)
    }
  }
  if (isAtomic && items.length < body.length) {
    for (const index of places) results[index] = problemResult(heldBack, index)
    countProblems(parts, reply, results)
    return sendResults(reply, results)
  }
  const { headers } = request
  const outcomes = await parts.recorder.recordAll(items, { headers, reply, isAtomic })
  countProblems(parts, reply, results)
  for (const [at, outcome] of outcomes.entries()) {
    const index = places[at] ?? 0
    results[index] = resultOf(outcome, index)
  }
  return sendResults(reply, results)
}

/** Counts what was refused so far. */
function countProblems(
  { metrics }: BatchParts,
  reply: FastifyReply,
  results: readonly ItemResult[],
): void {
  // What is sent to the store has no result yet.
  for (const result of results.filter(Boolean)) {
    metrics.ingestedItems(reply, outcomeOf(result.status))
  }
}

/** 202 when all were taken, 207 when some were. When none was, it is a problem, with the results beside it. */
function sendResults(reply: FastifyReply, results: readonly ItemResult[]): FastifyReply {
  const accepted = results.filter((result) => 'id' in result).length
  // All or nothing: those that would have been replayed are there, but the batch was refused.
  const isRefused = results.some(({ status }) => status === 424)
  const counts = { accepted, rejected: results.length - accepted, results }
  if (accepted > 0 && !isRefused) {
    return reply.code(accepted === results.length ? 202 : 207).send(counts)
  }
  const isOurs = results.every(({ status }) => status === 503)
  const problem: Problem = { ...noneAccepted, status: isOurs ? 503 : 422, ...counts }
  return sendProblem(reply, problem)
}

const noneAccepted = {
  type: '/problems/none-accepted',
  title: 'Nothing of the batch was recorded',
  detail: '"results" says why, for each',
}
const notAnArray = invalidProblem('Batch is not valid', [
  { pointer: '#', detail: `must be an array of 1 to ${itemsMax} check-ins` },
])
const tooMany = plainProblem(413, `A batch has at most ${itemsMax} check-ins`)
const notLines = plainProblem(
  415,
  'The body must be lines of JSON, with Content-Type: application/x-ndjson. Arrays go to /api/checkins',
)
const atomicStream = wrongParameters([
  {
    pointer: '#/atomic',
    detail: 'must be "false": all or nothing is for JSON arrays, a stream is recorded as it comes',
  },
])
