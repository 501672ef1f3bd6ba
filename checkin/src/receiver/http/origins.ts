/** What keeps web pages of others away: the Host header, and the origins that may read answers. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { plainProblem, type Problem } from './problem.ts'
import { requestIdHeader } from './request-id.ts'

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/** True for an address that only this machine reaches. A name other than `localhost` counts as reachable. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/**
 * The names that requests may be addressed to, without port; undefined: any. On the loopback a browser could be led here under
 * a name of somebody else (DNS rebinding), so there only its own names are allowed.
 */
export function allowedHosts(
  host: string,
  more: readonly string[],
): ReadonlySet<string> | undefined {
  if (!isLoopback(host)) return more.length === 0 ? undefined : new Set(more)
  return new Set([...loopbackNames, host, ...more])
}

/** Tells whether a request is addressed to one of these names (undefined: any), and to one alone. */
export class HostCheck {
  readonly #allowed: ReadonlySet<string> | undefined
  // Nearly all requests come with the same one.
  #lastGood: string | undefined

  constructor(allowed: ReadonlySet<string> | undefined) {
    this.#allowed = allowed
  }

  accepts(host: string | undefined): boolean {
    if (host === this.#lastGood) return host !== undefined
    if (host === undefined || host.includes(',')) return false
    // The dot at the end is the root of all names.
    const name = host.replace(/\.?(?::\d*)?$/, '').toLowerCase()
    if (this.#allowed !== undefined && !this.#allowed.has(name)) return false
    this.#lastGood = host
    return true
  }
}

export const wrongHost: Problem = plainProblem(
  421,
  'This receiver does not answer under the name in Host',
)

const exposed = `${requestIdHeader}, location, retry-after, ratelimit, ratelimit-policy, idempotent-replayed, etag`
const headersAllowed =
  'authorization, content-type, idempotency-key, if-none-match, traceparent, x-request-id'

/** Lets pages of these origins (`https://app.example`, or `*`) send requests and read answers (CORS). */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  const isAllowed = (origin: string): boolean => origins.includes('*') || origins.includes(origin)
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    reply.header('vary', 'origin')
    if (origin === undefined || !isAllowed(origin)) {
      done()
      return
    }
    reply.header('access-control-allow-origin', origin)
    if (isPreflight(request)) answerPreflight(reply)
    else {
      reply.header('access-control-expose-headers', exposed)
      done()
    }
  })
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}

function answerPreflight(reply: FastifyReply): void {
  reply.header('access-control-allow-methods', 'GET, HEAD, POST')
  reply.header('access-control-allow-headers', headersAllowed)
  reply.header('access-control-max-age', '600')
  reply.code(204).send()
}
