/** The HTTP side of a stream of check-ins. */
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { endConnection, whenOver } from '../http/answer-order.ts'
import type { AppendOutcome } from 'millrace'
import { readItem, type CheckinItem, type Sender } from './batch-item.ts'
import { OverloadError } from '../limits/bounded-calls.ts'
import { problemOf } from '../operation/failures.ts'
import type { RefusalLog } from '../operation/refusal-log.ts'
import type { Shutdown } from '../operation/shutdown.ts'
import { NdjsonStream } from './ndjson.ts'
import { outcomeOf, type ReceiverMetrics } from '../metrics/metrics.ts'
import { pressureProblem, type PressureSource } from '../limits/overload.ts'
import { exceeded, payerOf, type Buckets } from '../access/rate-limit.ts'
import {
  invalidProblem,
  plainProblem,
  retryAfterS,
  sendProblem,
  type Problem,
} from '../http/problem.ts'
import type { StreamSlots } from '../limits/stream-slots.ts'
import type { Batch, Recorder } from './recorder.ts'

/** Of the answer; the body of a request may come under any of the names that are in use. */
const ndjsonMediaType = 'application/x-ndjson'
export const ndjsonMediaTypes = [ndjsonMediaType, 'application/ndjson', 'application/jsonl']

// Up to here the results are kept until all are known, as for an array.
const wholeMaxBytes = 1024 * 1024
// One call to the store: half a millisecond of it.
const linesAtOnce = 500
const patienceMs = 10_000
const lookEveryMs = 50

export interface StreamParts {
  readonly recorder: Recorder
  readonly metrics: Pick<ReceiverMetrics, 'ingestedItems'>
  readonly refusals: Pick<RefusalLog, 'refused'>
  readonly pressure: PressureSource
  /** What each client may send in a second; undefined: any number. */
  readonly buckets: Buckets | undefined
  readonly shutdown: Pick<Shutdown, 'closing'>
  readonly streams: OpenStreams
}

/** The streams of check-ins that are being received. */
interface OpenStreams {
  readonly slots: StreamSlots
  /** Without a valid line for so long (ms), a stream is ended. */
  readonly idleMs: number
  /** For so long (ms) one of known, short length may be waited for. */
  readonly wholeMs: number
}

export async function serveNdjson(
  request: FastifyRequest,
  reply: FastifyReply,
  { parts, sender }: { readonly parts: StreamParts; readonly sender: Sender },
): Promise<FastifyReply> {
  const { refusals, buckets, streams } = parts
  const { headers } = request
  const length = headers['content-length']
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
    append: (items) => recordPatiently(items, { headers, reply }, parts.recorder),
    refused: (status, count) => parts.metrics.ingestedItems(reply, outcomeOf(status), count),
    problemOf: (error) => {
      refusals.refused(error, true)
      return problemOf(error, 'append')
    },
    untilFree: (lines) => untilFree(request, lines, parts),
    // What a bucket holds can be paid at once.
    linesAtOnce: Math.min(linesAtOnce, buckets?.perSecond ?? linesAtOnce),
    closing: parts.shutdown.closing,
    idleMs: streams.idleMs,
    waitMaxMs: isWhole ? streams.wholeMs : undefined,
    isWhole,
  })
  whenOver(reply.raw, slot)
  reply.raw.once('finish', () => {
    if (stream.isHalted && !request.raw.complete) cutOff(socket)
  })
  const { status, body } = await stream.answer()
  if (body === '') return sendProblem(reply, noLines)
  if (status === 503 || status === 429) reply.header('retry-after', retryAfterS())
  return reply.code(status).type(`${ndjsonMediaType}; charset=utf-8`).send(body)
}

/** One call to the store, tried again while the receiver has too many under way: nothing was sent then. */
async function recordPatiently(
  items: readonly CheckinItem[],
  batch: Batch,
  recorder: Recorder,
): Promise<readonly AppendOutcome[]> {
  for (let waitedMs = 0; ; waitedMs += lookEveryMs) {
    try {
      return await recorder.recordAll(items, batch)
    } catch (error) {
      if (!(error instanceof OverloadError) || waitedMs >= patienceMs) throw error
      await delay(lookEveryMs)
    }
  }
}

/** Within a stream, pressure and a rate slow down instead of refusing; but not for ever. */
async function untilFree(
  request: FastifyRequest,
  lines: number,
  { pressure, shutdown: { closing }, buckets }: StreamParts,
): Promise<Problem | undefined> {
  for (let waitedMs = 0; pressure.state.kind !== 'free'; waitedMs += lookEveryMs) {
    if (waitedMs >= patienceMs) return pressureProblem(pressure.state.reason)
    if (closing.aborted) return undefined
    await delay(lookEveryMs)
  }
  if (buckets === undefined) return undefined
  const startedAt = performance.now()
  for (;;) {
    const { isTaken, waitMs } = await buckets.take(payerOf(request, request.identity), lines)
    if (isTaken || closing.aborted) return undefined
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
