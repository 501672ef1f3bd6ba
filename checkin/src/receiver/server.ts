/** The HTTP server itself: what it reads, for how long, and from how many at once. */
import { fastify, type FastifyInstance } from 'fastify'
import { limitBodyTime } from './body-deadlines.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { plainProblem, sendProblem } from './problem.ts'
import { requestIdOf } from './request-id.ts'
import { bodyMaxBytes, knowAllMethods } from './resources.ts'

/** How long a client may take to send, in milliseconds; afterwards it gets a 408 and its connection is closed. */
export interface Timeouts {
  /** From the first byte to the end of the headers; default 5,000. */
  readonly headersMs: number
  /** From the first byte to the end of the body; default 10,000. */
  readonly requestMs: number
  /** Between two lines of a stream of check-ins; default 15,000. */
  readonly streamIdleMs: number
}

const connectionsMax = 4096

export function newServer({
  headersMs = 5000,
  requestMs = 10_000,
  trustProxy,
}: Partial<Timeouts> & { readonly trustProxy?: string | undefined }): FastifyInstance {
  const app = fastify({
    bodyLimit: bodyMaxBytes,
    genReqId: requestIdOf,
    trustProxy: trustProxy ?? false,
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
  // Who has nothing more to send still waits for the answer. (Node has it, but its types do not.)
  Object.assign(app.server, { httpAllowHalfOpen: true })
  app.removeContentTypeParser('text/plain')
  app.decorateRequest('identity', null)
  knowAllMethods(app)
  limitBodyTime(app, requestMs)
  return app
}
