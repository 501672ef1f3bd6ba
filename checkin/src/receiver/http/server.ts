/** The HTTP server itself: what it reads, for how long, and from how many at once. */
import { lookup } from 'node:dns/promises'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { limitBodyTime } from './body-deadlines.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { limitConnections } from './connections.ts'
import { plainProblem, sendProblem } from './problem.ts'
import { serveExpectations } from './request-head.ts'
import { requestIdOf } from './request-id.ts'
import { bodyMaxBytes, knowAllMethods } from './resources.ts'
import { securityHeaders } from './security-headers.ts'

/** How long a client may take to send, in milliseconds; afterwards it gets a 408 and its connection is closed. */
export interface Timeouts {
  /** From the first byte to the end of the headers; default 5,000. */
  readonly headersMs: number
  /** From the first byte to the end of the body; default 10,000. */
  readonly requestMs: number
  /** Between two lines of a stream of check-ins; default 15,000. */
  readonly streamIdleMs: number
  /** From an answer to the next request on the same connection, which then ends without a word; default 75,000. */
  readonly keepAliveMs: number
  /** Without reading anything of its answer, which is then cut off; default 20,000. */
  readonly unreadMs: number
}

/** Is told of each request as it comes. */
export type RequestListener = (request: FastifyRequest, reply: FastifyReply) => void

interface ServerLimits {
  /** Default 4,096. */
  readonly connectionsMax?: number | undefined
  readonly trustProxy?: string | undefined
  /** Is told of each request before anything else is done with it. */
  readonly onRequest?: RequestListener | undefined
}

export function newServer({
  headersMs = 5000,
  requestMs = 10_000,
  // Longer than balancers keep theirs (60 s): a request never meets a connection that is being closed.
  keepAliveMs = 75_000,
  unreadMs = 20_000,
  connectionsMax = 4096,
  trustProxy,
  onRequest,
}: Partial<Timeouts> & ServerLimits): FastifyInstance {
  const app = fastify({
    bodyLimit: bodyMaxBytes,
    genReqId: requestIdOf,
    trustProxy: trustProxy ?? false,
    // Node by itself allows a minute for headers and five for a request, and looks every half minute.
    http: {
      headersTimeout: headersMs,
      connectionsCheckingInterval: 1000,
      // `wrongHead` looks at it, and sees that there are two.
      requireHostHeader: false,
      joinDuplicateHeaders: true,
    },
    // `limitBodyTime` does it: a stream may take as long as it likes.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    connectionTimeout: 20_000,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_error, request, reply) => {
      // No hook sees it.
      onRequest?.(request, reply)
      sendProblem(
        reply.headers(securityHeaders),
        plainProblem(400, 'The address cannot be decoded'),
      )
    },
    // A request that comes on an open connection while we close is served as usual.
    return503OnClosing: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
  })
  limitConnections(app, { connectionsMax, unreadMs })
  serveExpectations(app.server)
  // Who has nothing more to send still waits for the answer. (Node has it, but its types do not.)
  Object.assign(app.server, { httpAllowHalfOpen: true })
  app.removeContentTypeParser('text/plain')
  app.decorateRequest('identity', null)
  if (onRequest !== undefined) {
    app.addHook('onRequest', (request, reply, done) => {
      onRequest(request, reply)
      done()
    })
  }
  knowAllMethods(app)
  limitBodyTime(app, requestMs)
  return app
}

/**
 * Listens at one address: for `localhost` Fastify would open a second server, at `::1`, that has none of the limits and manners of ours.
 * @returns the address, like `http://127.0.0.1:8082`.
 */
export async function listenAtOne(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  const address = host === 'localhost' ? (await lookup(host, { verbatim: false })).address : host
  return await app.listen({ host: address, port })
}
