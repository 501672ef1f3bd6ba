/** How much a client may send in a second. Promise: bounded memory, however many clients come. */
import { isIPv6 } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Identity } from './identity.ts'
import type { Problem } from '../http/problem.ts'

/** So many are known at once. */
export const clientsMax = 20_000
export const windowMs = 1000

export const exceeded: Problem = {
  type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  title: 'Too many requests',
  status: 429,
  detail:
    'This client sends more check-ins or requests a second than it may. What was refused was not recorded',
}

/** What became of a wish for tokens. */
export interface Allowance {
  readonly isTaken: boolean
  /** Tokens that are left. */
  readonly left: number
  /** Milliseconds until the bucket is full again. */
  readonly fullInMs: number
  /** Milliseconds until so many can be had; 0 when they were taken. */
  readonly waitMs: number
}

/** Where tokens come from: this process or all together. */
export interface Buckets {
  readonly perSecond: number
  /** @param needed so many must be there, the rest is owed; default: all, or a whole bucket where it is more. */
  take(client: string, cost: number, needed?: number): Allowance | Promise<Allowance>
}

/**
 * A bucket of `perSecond` tokens for each client, refilled evenly (GCRA: of each bucket only the time at which it will be full
 * is kept), in this process alone. Who wants more than a bucket holds gets it from a full one, and owes the rest.
 */
export class LocalBuckets implements Buckets {
  readonly perSecond: number
  readonly #now: () => number
  /** The time (ms) at which the bucket of a client is full; the one that was used last is the last. */
  readonly #fullAt = new Map<string, number>()

  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.perSecond = perSecond
    this.#now = now
  }

  take(client: string, cost: number, needed = Math.min(cost, this.perSecond)): Allowance {
    const now = this.#now()
    const perTokenMs = windowMs / this.perSecond
    const fullAt = Math.max(now, this.#fullAt.get(client) ?? 0)
    const waitMs = fullAt + needed * perTokenMs - windowMs - now
    // A rounding error is no reason to refuse the last token.
    const isTaken = waitMs < 1e-6
    const nextFullAt = isTaken ? fullAt + cost * perTokenMs : fullAt
    if (isTaken) this.#keep(client, nextFullAt, now)
    const left = Math.max(0, Math.floor((windowMs - (nextFullAt - now)) / perTokenMs + 1e-6))
    return { isTaken, left, fullInMs: nextFullAt - now, waitMs: Math.max(0, waitMs) }
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

/** Says in the headers what is left (draft-ietf-httpapi-ratelimit-headers-10), and when to come back. */
export function tellRate(reply: FastifyReply, { perSecond }: Buckets, allowance: Allowance): void {
  const { isTaken, left, fullInMs } = allowance
  // The request that comes again pays for itself, too.
  const waitMs = allowance.waitMs + windowMs / perSecond - 1
  reply.header('ratelimit-policy', `"default";q=${perSecond};w=${windowMs / 1000}`)
  reply.header('ratelimit', `"default";r=${left};t=${Math.ceil(fullInMs / 1000)}`)
  if (!isTaken) reply.header('retry-after', Math.max(1, Math.ceil(waitMs / 1000)))
}

/** Whose bucket pays: that of the key, of the user of the token, or of the address. */
export function payerOf(request: FastifyRequest, identity: Identity | null): string {
  if (identity === null) return clientOf(request.ip)
  return identity.kind === 'key' ? `key:${identity.id}` : `user:${identity.subject}`
}

/**
 * Lets a request pay for more than itself, once it is known how much it brings.
 * @returns the problem when it cannot.
 */
export async function payFor(
  request: FastifyRequest,
  reply: FastifyReply,
  { buckets, cost }: { readonly buckets: Buckets | undefined; readonly cost: number },
): Promise<Problem | undefined> {
  if (buckets === undefined || cost === 0) return undefined
  const payer = payerOf(request, request.identity)
  // Of a full bucket it has taken one.
  const allowance = await buckets.take(payer, cost, Math.min(cost, buckets.perSecond - 1))
  tellRate(reply, buckets, allowance)
  return allowance.isTaken ? undefined : exceeded
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
