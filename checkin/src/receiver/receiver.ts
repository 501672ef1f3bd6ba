/** The HTTP receiver. Promise: a 202 goes out only for a check-in that Redis has confirmed, and every request is answered in time. */
import { fastify, type FastifyInstance } from 'fastify'
import type { Log } from '../log.ts'
import { BoundedCalls, type Bounds } from './bounded-calls.ts'
import { limitBodyTime } from './body-deadlines.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { batchRoutes } from './batch.ts'
import { latestCheckinsRoute } from './checkins.ts'
import { collectDocumentation, documentationRoutes } from './documentation.ts'
import { problemOf } from './failures.ts'
import { healthRoute } from './health.ts'
import { KeysInFlight, type IdempotencyLimits } from './idempotency-key.ts'
import type { PressureSource } from './overload.ts'
import type { ReceiverParts } from './parts.ts'
import { plainProblem, sendProblem } from './problem.ts'
import { profileRoutes } from './profiles.ts'
import { RefusalLog } from './refusal-log.ts'
import { requestIdHeader, requestIdOf } from './request-id.ts'
import { checkinRoute } from './single.ts'
import { statusRoute } from './status.ts'
import { bodyMaxBytes, knowAllMethods, refuseOtherAddresses } from './resources.ts'

export interface ReceiverOptions extends Pick<ReceiverParts, 'millrace' | 'model' | 'group'> {
  readonly log: Log
  /** While it says `overloaded`, check-ins are refused; default: never. */
  readonly pressure?: PressureSource
  /** Of the calls to Redis; default: 10,000 under way at once, 2,000 ms each. */
  readonly bounds?: Partial<Bounds>
  readonly timeouts?: Partial<Timeouts>
  /** Default: keys are remembered for 24 hours, 5,000,000 of them. */
  readonly idempotency?: Partial<IdempotencyLimits>
}

/** How long a client may take to send, in milliseconds; afterwards it gets a 408 and its connection is closed. */
interface Timeouts {
  /** From the first byte to the end of the headers; default 5,000. */
  readonly headersMs: number
  /** From the first byte to the end of the body; default 10,000. */
  readonly requestMs: number
  /** Between two lines of a stream; default 15,000. */
  readonly streamIdleMs: number
}

export interface Receiver {
  /**
   * Starts to listen; port 0 takes any free one.
   * @returns the address, like `http://127.0.0.1:8082`.
   * @throws the error of `node:net`, with its `code`.
   */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>
  /** Stops accepting, answers what is under way, and closes; within 6 s. The connection to Redis stays open. */
  close(): Promise<void>
  /** Resolves when it is closed. */
  readonly closed: Promise<void>
}

/** Builds a receiver; it does nothing until it listens. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { millrace, model, group, log, bounds } = options
  const timeouts = { ...defaultTimeouts, ...options.timeouts }
  const app = newServer(timeouts)
  const calls = new BoundedCalls({ inFlightMax: 10_000, withinMs: 2000, ...bounds })
  const { pressure = noPressure } = options
  const refusals = new RefusalLog(log)
  const closing = new AbortController()
  const parts: ReceiverParts = {
    millrace,
    model,
    group,
    calls,
    refusals,
    pressure,
    idempotency: { rememberMs: 24 * 3_600_000, keysMax: 5_000_000, ...options.idempotency },
    keysInFlight: new KeysInFlight(),
    streams: { open: 0, idleMs: timeouts.streamIdleMs },
    closing: closing.signal,
  }
  knowAllMethods(app)
  limitBodyTime(app, timeouts.requestMs)
  collectDocumentation(app)
  app.decorateRequest('identity', null)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(requestIdHeader, request.id)
    done()
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error, request.method === 'POST' ? 'append' : 'read')
    if (problem.status === 503) parts.refusals.refused(error)
    else if (problem.status >= 500) log.error({ err: error }, `Request failed: ${String(error)}`)
    return sendProblem(reply, problem)
  })
  void app.register((routes, _options, done) => {
    addRoutes(routes, parts)
    done()
  })
  const closed = new Promise<void>((resolve) => {
    app.addHook('onClose', (_app, done) => {
      resolve()
      done()
    })
  })
  const closeAll = async (): Promise<void> => {
    closing.abort()
    await close(app)
  }
  return { listen: (at) => app.listen(at), close: closeAll, closed }
}

/** Every address of the receiver. */
function addRoutes(app: FastifyInstance, parts: ReceiverParts): void {
  checkinRoute(app, parts)
  batchRoutes(app, parts)
  latestCheckinsRoute(app, parts)
  statusRoute(app, parts)
  profileRoutes(app, parts)
  healthRoute(app, parts)
  documentationRoutes(app)
  refuseOtherAddresses(app)
}

const noPressure: PressureSource = { state: { kind: 'free' } }
const connectionsMax = 4096
const defaultTimeouts: Timeouts = { headersMs: 5000, requestMs: 10_000, streamIdleMs: 15_000 }

function newServer({ headersMs }: Timeouts): FastifyInstance {
  const app = fastify({
    bodyLimit: bodyMaxBytes,
    genReqId: requestIdOf,
    // Node by itself allows a minute for headers and five for a request, and looks every half minute.
    http: { headersTimeout: headersMs, connectionsCheckingInterval: 1000 },
    // `limitBodyTime` does it: a stream may take as long as it likes.
    requestTimeout: 0,
    keepAliveTimeout: 5000,
    connectionTimeout: 20_000,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_error, _request, reply) => {
      sendProblem(reply, plainProblem(400, 'The address cannot be decoded'))
    },
    // A request that comes on an open connection while we close is served as usual.
    return503OnClosing: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
  })
  app.server.maxConnections = connectionsMax
  app.removeContentTypeParser('text/plain')
  return app
}

const sweepEveryMs = 50
const patienceMs = 5000

async function close(app: FastifyInstance): Promise<void> {
  // A connection that was busy when the closing began is idle after its answer, and would hold the server open.
  const sweep = setInterval(() => app.server.closeIdleConnections(), sweepEveryMs)
  const hurry = setTimeout(() => app.server.closeAllConnections(), patienceMs)
  await app.close()
  clearInterval(sweep)
  clearTimeout(hurry)
}
