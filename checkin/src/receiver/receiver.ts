/** The HTTP receiver. Promise: a 202 goes out only for a check-in that Redis has confirmed, and every request is answered in time. */
import { fastify, type FastifyInstance } from 'fastify'
import type { Log } from '../log.ts'
import { BoundedCalls, type Bounds } from './bounded-calls.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { checkinRoute, latestCheckinsRoute } from './checkins.ts'
import { collectDocumentation, documentationRoutes } from './documentation.ts'
import { tagReads } from './entity-tag.ts'
import { problemOf } from './failures.ts'
import { healthRoute } from './health.ts'
import { leaderboardRoutes } from './leaderboards.ts'
import { nearbyRoute } from './nearby.ts'
import type { PressureSource } from './overload.ts'
import type { ReceiverParts } from './parts.ts'
import { plainProblem, sendProblem } from './problem.ts'
import { profileRoutes } from './profiles.ts'
import { RefusalLog } from './refusal-log.ts'
import { requestIdHeader, requestIdOf } from './request-id.ts'
import { bodyMaxBytes, knowAllMethods, refuseOtherAddresses } from './resources.ts'

export interface ReceiverOptions extends Pick<ReceiverParts, 'millrace' | 'model'> {
  readonly log: Log
  /** While it says `overloaded`, check-ins are refused; default: never. */
  readonly pressure?: PressureSource
  /** Of the calls to Redis; default: 10,000 under way at once, 2,000 ms each. */
  readonly bounds?: Partial<Bounds>
  readonly timeouts?: Partial<Timeouts>
}

/** How long a client may take to send, in milliseconds; afterwards it gets a 408 and its connection is closed. */
interface Timeouts {
  /** From the first byte to the end of the headers; default 5,000. */
  readonly headersMs: number
  /** From the first byte to the end of the body; default 10,000. */
  readonly requestMs: number
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
  const { millrace, model, log, bounds, timeouts } = options
  const app = newServer({ headersMs: 5000, requestMs: 10_000, ...timeouts })
  const calls = new BoundedCalls({ inFlightMax: 10_000, withinMs: 2000, ...bounds })
  const { pressure = noPressure } = options
  const refusals = new RefusalLog(log)
  const parts: ReceiverParts = { millrace, model, calls, refusals, pressure }
  knowAllMethods(app)
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
  return { listen: (at) => app.listen(at), close: () => close(app), closed }
}

/** Every address of the receiver. */
function addRoutes(app: FastifyInstance, parts: ReceiverParts): void {
  tagReads(app)
  checkinRoute(app, parts)
  latestCheckinsRoute(app, parts)
  profileRoutes(app, parts)
  nearbyRoute(app, parts)
  leaderboardRoutes(app, parts)
  healthRoute(app, parts)
  documentationRoutes(app)
  refuseOtherAddresses(app)
}

const noPressure: PressureSource = { state: { kind: 'free' } }
const connectionsMax = 4096

function newServer({ headersMs, requestMs }: Timeouts): FastifyInstance {
  const app = fastify({
    bodyLimit: bodyMaxBytes,
    genReqId: requestIdOf,
    // Node by itself allows a minute for headers and five for a request, and looks every half minute.
    http: { headersTimeout: headersMs, connectionsCheckingInterval: 1000 },
    requestTimeout: requestMs,
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
