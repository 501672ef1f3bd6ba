/** What keeps web pages of others away: the Host header, and the origins that may read answers. */
import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
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

const shared = {
  methods: ['GET', 'HEAD', 'POST'],
  allowedHeaders: [
    'authorization',
    'content-type',
    'idempotency-key',
    'if-none-match',
    'traceparent',
    'x-request-id',
  ],
  exposedHeaders: [
    requestIdHeader,
    'location',
    'retry-after',
    'ratelimit',
    'ratelimit-policy',
    'idempotent-replayed',
    'etag',
  ],
  maxAge: 600,
} satisfies FastifyCorsOptions

/** Lets pages of these origins (`https://app.example`, or `*`) send requests and read answers (CORS). */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  const isAllowed = ({ headers: { origin } }: FastifyRequest): boolean =>
    origin !== undefined && (origins.includes('*') || origins.includes(origin))
  void app.register(cors, {
    // Asked anew for each request: whom nobody lets in, and who asks no preflight, is answered as if there were no CORS.
    delegator: (request, answer) => {
      const preflight = request.headers['access-control-request-method'] !== undefined
      answer(null, { ...shared, origin: isAllowed(request), preflight })
    },
  })
}
