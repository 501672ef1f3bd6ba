/** Requests a client may send in a second. Promise: bounded memory, however many clients come. */
import { isIPv6 } from 'node:net'
import type { FastifyReply } from 'fastify'
import type { Problem } from './problem.ts'

const clientsMax = 20_000
const windowMs = 1000

const exceeded: Problem = {
  type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  title: 'Too many requests',
  status: 429,
  detail: 'This client sends more requests a second than it may. The request was not worked on',
}

/**
 * A bucket of `perSecond` tokens for each client, refilled evenly (GCRA: of each bucket only the time at which it will be full
 * is kept). It counts in this process alone.
 */
export class RateLimit {
  readonly #perSecond: number
  readonly #now: () => number
  /** The time (ms) at which the bucket of a client is full; the one that was used last is the last. */
  readonly #fullAt = new Map<string, number>()

  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#now = now
  }

  /**
   * Takes a token for a request and says in the headers what is left
   * (draft-ietf-httpapi-ratelimit-headers-10).
   * @returns the problem when there was none left.
   */
  take(client: string, reply: FastifyReply): Problem | undefined {
    const now = this.#now()
    const perTokenMs = windowMs / this.#perSecond
    const fullAt = Math.max(now, this.#fullAt.get(client) ?? 0)
    const waitMs = fullAt + perTokenMs - windowMs - now
    // A rounding error is no reason to refuse the last token.
    const isTaken = waitMs < 1e-6
    const nextFullAt = isTaken ? fullAt + perTokenMs : fullAt
    if (isTaken) this.#keep(client, nextFullAt, now)
    const left = Math.max(0, Math.floor((windowMs - (nextFullAt - now)) / perTokenMs + 1e-6))
    const fullInS = Math.ceil((nextFullAt - now) / 1000)
    reply.header('ratelimit-policy', `"default";q=${this.#perSecond};w=${windowMs / 1000}`)
    reply.header('ratelimit', `"default";r=${left};t=${fullInS}`)
    if (isTaken) return undefined
    reply.header('retry-after', Math.max(1, Math.ceil(waitMs / 1000)))
    return exceeded
  }

  #keep(client: string, fullAt: number, now: number): void {
    this.#fullAt.delete(client)
    this.#fullAt.set(client, fullAt)
    if (this.#fullAt.size <= clientsMax) return
    for (const [known, at] of this.#fullAt) {
      // Full again, so it need not be kept; and if all are busy, the one that was silent longest is forgotten.
      if (at > now && this.#fullAt.size <= clientsMax) return
      this.#fullAt.delete(known)
    }
  }
}

/** The client that an address stands for: of IPv6 the network, since everybody has a whole one. */
export function clientOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address
  const [head = '', tail] = address.split('::')
  const start = head.split(':').filter((part) => part !== '')
  const end = tail === undefined ? [] : tail.split(':').filter((part) => part !== '')
  const zeros = Array.from({ length: Math.max(0, 8 - start.length - end.length) }, () => '0')
  return `${[...start, ...zeros, ...end].slice(0, 4).join(':')}::/64`
}
