/**
 * One bucket for each client, of all processes together, in Redis. Promise: together they let through no more than one would; most
 * requests ask nobody; while Redis is away, each process counts on its own.
 */
import type { Millrace } from 'millrace'
import { clientsMax, LocalBuckets, windowMs, type Allowance, type Buckets } from './rate-limit.ts'

// Takes tokens from a bucket of which only the time is kept at which it will be full (GCRA).
// KEYS[1] bucket   ARGV[1] ms for a token  ARGV[2] ms of a whole bucket  ARGV[3] tokens that are paid for now
// ARGV[4] how many of these must be there  ARGV[5] tokens that are wanted
// Returns the tokens granted (0: refused), the ms until the bucket is full, and the ms until it can pay.
const script = `
local per_token, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local cost, needed, wanted = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '') or 0)
local there = math.floor((window - (full_at - now)) / per_token + 1e-6)
if there < needed then
  local wait = full_at + needed * per_token - window - now
  return {0, math.ceil(full_at - now), math.ceil(wait)}
end
local granted = math.max(cost, math.min(wanted, there))
full_at = full_at + granted * per_token
redis.call('SET', KEYS[1], string.format('%.3f', full_at), 'PX', math.ceil(full_at - now) + 1)
return {granted, math.ceil(full_at - now), 0}
`

interface Wish {
  readonly client: string
  readonly cost: number
  readonly needed: number
}

/** What this process has of a client's bucket. */
interface Lease {
  left: number
  /** Until then (ms) what is left may be used: it was taken from the others. */
  untilMs: number
  fullAtMs: number
  /** Tokens that were in the bucket when it was asked last. */
  elsewhere: number
  /** Until then (ms) at least so many tokens cannot be had. */
  refusedUntilMs: number
  refused: number
  /** Tokens that requests wait for. */
  wanted: number
  asking: Promise<void> | undefined
}

export interface SharedBucketsOptions {
  readonly perSecond: number
  readonly millrace: Pick<Millrace, 'send'>
  /** What the names of the buckets begin with. */
  readonly prefix: string
  /** Is told when buckets cannot be shared; at most once a minute. */
  readonly onTrouble: (error: unknown) => void
}

const withinMs = 1000
const pauseMs = 1000
const tellEveryMs = 60_000

export class SharedBuckets implements Buckets {
  readonly perSecond: number
  readonly #options: SharedBucketsOptions
  readonly #leases = new Map<string, Lease>()
  readonly #local: LocalBuckets
  #awayUntilMs = -Infinity
  #toldAtMs = -Infinity

  constructor(options: SharedBucketsOptions) {
    this.#options = options
    this.perSecond = options.perSecond
    this.#local = new LocalBuckets(options.perSecond)
  }

  take(
    client: string,
    cost: number,
    needed = Math.min(cost, this.perSecond),
  ): Allowance | Promise<Allowance> {
    const lease = this.#leaseOf(client)
    return this.#fromLease(lease, cost, needed) ?? this.#fromAll(lease, { client, cost, needed })
  }

  /** What can be said without asking anybody. */
  #fromLease(lease: Lease, cost: number, needed: number): Allowance | undefined {
    const now = performance.now()
    if (now >= lease.untilMs) lease.left = 0
    const fullInMs = Math.max(0, lease.fullAtMs - now)
    if (lease.left >= cost) {
      lease.left -= cost
      return { isTaken: true, left: lease.left + lease.elsewhere, fullInMs, waitMs: 0 }
    }
    if (now >= lease.refusedUntilMs || needed < lease.refused) return undefined
    return { isTaken: false, left: lease.left, fullInMs, waitMs: lease.refusedUntilMs - now }
  }

  async #fromAll(lease: Lease, wish: Wish): Promise<Allowance> {
    const { client, cost, needed } = wish
    lease.wanted += cost
    try {
      for (;;) {
        const known = this.#fromLease(lease, cost, needed)
        if (known !== undefined) return known
        if (performance.now() < this.#awayUntilMs) return this.#local.take(client, cost, needed)
        lease.asking ??= this.#ask(lease, wish).finally(() => (lease.asking = undefined))
        await lease.asking
      }
    } finally {
      lease.wanted -= cost
    }
  }

  /** Never rejects. */
  async #ask(lease: Lease, { client, cost, needed }: Wish): Promise<void> {
    const { millrace, prefix } = this.#options
    // A tenth of a bucket at once: the others shall have theirs, and a call shall serve many.
    const wanted = Math.max(lease.wanted, Math.floor(this.perSecond / 10)) - lease.left
    const numbers = [cost - lease.left, Math.max(0, needed - lease.left), wanted]
    const args = [windowMs / this.perSecond, windowMs, ...numbers].map(String)
    try {
      const asked = millrace.send('EVAL', script, '1', `${prefix}${client}`, ...args)
      const [granted = 0, fullInMs = 0, waitMs = 0] = (await inTime(asked)) as number[]
      const now = performance.now()
      lease.fullAtMs = now + fullInMs
      const there = ((windowMs - fullInMs) / windowMs) * this.perSecond
      lease.elsewhere = Math.max(0, Math.floor(there))
      if (granted > 0) {
        lease.left += granted
        lease.untilMs = now + windowMs
      } else {
        lease.refusedUntilMs = now + Math.max(1, waitMs)
        lease.refused = needed
      }
    } catch (error) {
      this.#isAway(error)
    }
  }

  #isAway(error: unknown): void {
    const now = performance.now()
    this.#awayUntilMs = now + pauseMs
    if (now - this.#toldAtMs < tellEveryMs) return
    this.#toldAtMs = now
    this.#options.onTrouble(error)
  }

  #leaseOf(client: string): Lease {
    const known = this.#leases.get(client)
    if (known !== undefined) return known
    const lease = { ...noLease }
    this.#leases.set(client, lease)
    const [oldest] = this.#leases.keys()
    // What is forgotten is asked for again; who still waits with it goes on with it.
    if (this.#leases.size > clientsMax && oldest !== undefined) this.#leases.delete(oldest)
    return lease
  }
}

const noLease: Lease = {
  left: 0,
  untilMs: -Infinity,
  fullAtMs: -Infinity,
  elsewhere: 0,
  refusedUntilMs: -Infinity,
  refused: 0,
  wanted: 0,
  asking: undefined,
}

/** A late answer is no answer: who waits is a request. */
async function inTime<Value>(reply: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`No answer from Redis within ${withinMs} ms`)),
      withinMs,
    )
  })
  try {
    return await Promise.race([reply, late])
  } finally {
    clearTimeout(timer)
  }
}
