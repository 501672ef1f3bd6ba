/** The HTTP side of a stream of check-ins. */
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { endConnection, whenOver } from '../http/answer-order.ts'
import { countOutcomes, readItem, type Sender } from './batch-item.ts'
import { OverloadError } from '../limits/bounded-calls.ts'
import { problemOf } from '../operation/failures.ts'
import { NdjsonStream } from './ndjson.ts'
import { outcomeOf } from '../metrics/metrics.ts'
import { pressureProblem } from '../limits/overload.ts'
import type { ReceiverParts } from '../parts.ts'
import { exceeded, payerOf } from '../access/rate-limit.ts'
import {
  invalidProblem,
  plainProblem,
  retryAfterS,
  sendProblem,
  type Problem,
} from '../http/problem.ts'
import { traceFields } from '../http/trace.ts'

/** Of the answer; the body of a request may come under any of the names that are in use. */
const ndjsonMediaType = 'application/x-ndjson'
export const ndjsonMediaTypes = [ndjsonMediaType, 'application/ndjson', 'application/jsonl']

// Up to here the results are kept until all are known, as for an array.
const wholeMaxBytes = 1024 * 1024
// One call to the store: half a millisecond of it.
const linesAtOnce = 500
const patienceMs = 10_000
const lookEveryMs = 50

export async function serveNdjson(
  request: FastifyRequest,
  reply: FastifyReply,
  { parts, sender }: { readonly parts: ReceiverParts; readonly sender: Sender },
): Promise<FastifyReply> {
  const { refusals, buckets, streams } = parts
  const length = request.headers['content-length']
  // It comes within the time of any other body, so it needs no slot.
  const isWhole = length !== undefined && Number(length) <= wholeMaxBytes
  const slot = isWhole ? nothing : streams.slots.take(payerOf(request, request.identity))
  if (typeof slot === 'string') {
    endConnection(reply.raw)
    return sendProblem(reply, noSlot[slot])
  }
  const source = request.body as Readable
  // A request that breaks off loses it.
  const { socket } = request.raw
  const stream = new NdjsonStream(source, {
    read: (value, index) => readItem(value, index, sender),
    append: appender(request, reply, parts),
    refused: (status, count) => parts.metrics.ingestedItems(reply, outcomeOf(status), count),
    problemOf: (error) => {
      refusals.refused(error)
      return problemOf(error, 'append')
    },
    untilFree: (lines) => untilFree(request, lines, parts),
    // What a bucket holds can be paid at once.
    linesAtOnce: Math.min(linesAtOnce, buckets?.perSecond ?? linesAtOnce),
    closing: parts.life.closing,
    idleMs: streams.idleMs,
    waitMaxMs: isWhole ? streams.wholeMs : undefined,
    isWhole,
  })
  whenOver(reply.raw, slot)
  reply.raw.once('finish', () => {
    if (stream.isHalted && !request.raw.complete) cutOff(socket)
  })
  const { status, body } = await stream.run()
  if (body === '') return sendProblem(reply, noLines)
  if (status === 503 || status === 429) reply.header('retry-after', retryAfterS())
  return reply.code(status).type(`${ndjsonMediaType}; charset=utf-8`).send(body)
}

type Append = ConstructorParameters<typeof NdjsonStream>[1]['append']

/** One call to the store, tried again while the receiver has too many under way: nothing was sent then. */
function appender(request: FastifyRequest, reply: FastifyReply, parts: ReceiverParts): Append {
  const { millrace, calls, model, idempotency, replicas, refusals, metrics } = parts
  const options = { ...idempotency, replicas, extra: traceFields(request.headers) }
  return async (items) => {
    for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
      try {
        const outcomes = await calls.run(() => millrace.appendBatch(model.checkins, items, options))
        refusals.served()
        countOutcomes(metrics, reply, outcomes)
        return outcomes
      } catch (error) {
        if (!(error instanceof OverloadError) || waitedMs >= patienceMs) throw error
        await delay(lookEveryMs)
      }
    }
  }
}

/** Within a stream, pressure and a rate slow down instead of refusing; but not for ever. */
async function untilFree(
  request: FastifyRequest,
  lines: number,
  { pressure, life, buckets }: ReceiverParts,
): Promise<Problem | undefined> {
  for (let waitedMs = 0; pressure.state.kind !== 'free'; waitedMs += lookEveryMs) {
    if (waitedMs >= patienceMs) return pressureProblem(pressure.state.reason)
    if (life.closing.aborted) return undefined
    await delay(lookEveryMs)
  }
  if (buckets === undefined) return undefined
  const startedAt = performance.now()
  for (;;) {
    const { isTaken, waitMs } = await buckets.take(payerOf(request, request.identity), lines)
    if (isTaken || life.closing.aborted) return undefined
    if (performance.now() - startedAt + waitMs > patienceMs) return exceeded
    await delay(Math.min(waitMs + 1, lookEveryMs * 2))
  }
}

const graceMs = 1000

/** The client may still be sending: it is given the time to read why, and then disconnected. */
function cutOff(socket: Socket): void {
  const cut = setTimeout(() => socket.destroy(), graceMs)
  socket.once('close', () => clearTimeout(cut))
}

const noLines = invalidProblem('Batch is not valid', [
  { pointer: '#', detail: 'must have a check-in on each line, and at least one' },
])
const noSlot: Readonly<Record<'full' | 'client-full', Problem>> = {
  full: {
    ...plainProblem(503, 'Too many streams are open. Nothing was recorded'),
    type: '/problems/unavailable',
    title: 'Temporarily unavailable',
  },
  'client-full': {
    ...plainProblem(429, 'This client has as many streams open as it may. Nothing was recorded'),
    type: '/problems/too-many-streams',
    title: 'Too many streams',
  },
}
const nothing = (): void => undefined
