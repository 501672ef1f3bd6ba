/**
 * Runs the user's handler. Promise: what a handler throws or returns becomes an outcome here, and never ends the consumer.
 * Guards:
 *   broken-off: a handler that breaks off at a stop has not failed
 *   attempts: who asks for a retry has no attempt more than others
 */
import { setImmediate } from 'node:timers/promises'
import { backoffMs } from '../support/backoff.ts'
import type { Settled } from '../apply/settled.ts'
import { isPassing } from '../support/errors.ts'
import type { Fields } from '../declare/fields.ts'
import { HandlerCalls } from './handler-calls.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import { firstDelivery, type Past, type PastDeliveries } from './past-deliveries.ts'
import type { PauseSwitch } from '../support/pause-switch.ts'
import type { ReadAhead } from './read-ahead.ts'
import type { Retry } from './retries.ts'
import { again, decide, type Decided, type RetryPolicy } from './retry-policy.ts'
import { messageOf, shown } from '../support/shown.ts'
import type { Entry } from '../declare/stream.ts'

export interface HandlerContext {
  /** 1 for the first attempt; failed attempts of other processes count. */
  readonly attempt: number
  /**
   * Aborts when the consumer stops: a handler that ends early then may throw, and the entry is given back. Aborts with a
   * `TimeoutError` when the handler takes longer than `timeoutMs`.
   */
  readonly signal: AbortSignal
}

/** A handler may return nothing at all. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- so that a function without a return is one
type Returned = Outcome | undefined | void

/**
 * Handles one entry before its effects are applied. Only an {@link Outcome} decides; whatever else it returns
 * acknowledges. Its effects outside Redis are at least once: it may see an entry again after a crash.
 */
export type Handler<F extends Fields = Fields> = (
  entry: Entry<F>,
  context: HandlerContext,
) => Returned | Promise<Returned>

export interface HandlerPoolParts<F extends Fields> {
  readonly handler: Handler<F>
  /** Handlers at a time. */
  readonly concurrency: number
  /** Milliseconds for a handler; undefined: no limit. */
  readonly timeoutMs: number | undefined
  /** After so many failed attempts an entry becomes a dead letter, whatever the policy says. */
  readonly attemptsMax: number
  /** After so many deaths of a process that handled it alone an entry becomes a dead letter. */
  readonly deathsMax: number
  readonly retry: RetryPolicy<F> | undefined
  /** Entries with the same key are handled one after the other; undefined: in any order. */
  readonly orderBy: ((entry: Entry<F>) => string | number) | undefined
  readonly signal: AbortSignal
  readonly pause: PauseSwitch
  /** Learns how long handlers take. */
  readonly readAhead: Pick<ReadAhead, 'note'> | undefined
  readonly past: Pick<PastDeliveries, 'begin' | 'end'>
  /** Resolves when everything that was settled or is to be tried again is so in the server. */
  readonly untilSettled: () => Promise<void>
  readonly onSettled: (settled: Settled) => void
  readonly onRetry: (retry: Retry) => void
  /** A failure that does not pass, or a bug of ours. */
  readonly onFailure: (error: unknown) => void
}

interface Task<F extends Fields> {
  readonly entry: Entry<F>
  /** Finds out what is known of it; undefined: it was never delivered before. Rejects only when the consumer ends: then the entry is given back. */
  readonly past: (() => Promise<Past>) | undefined
  readonly key: Key
}

/** An error: `orderBy` gives the entry no place, which is a failed attempt. */
type Key = string | number | undefined | Error

/** What becomes of an entry. */
type Settlement = Extract<Outcome, { kind: 'acknowledge' }> | Decided

/** An entry whose handler runs with no other beside it. */
interface Alone<F extends Fields> {
  readonly task: Task<F>
  readonly past: Past
}

const yieldAfterMs = 10
// Long enough that a process which starts again gets some work done in between.
const deathWait = { firstMs: 2000, mostMs: 60_000 }

export class HandlerPool<F extends Fields> {
  readonly #parts: HandlerPoolParts<F>
  readonly #calls: HandlerCalls<F>
  readonly #waiting: Task<F>[] = []
  readonly #running = new Set<Promise<void>>()
  /** By key: what waits until the entry before it is handled. A key without an entry in work has none. */
  readonly #behind = new Map<string | number, Task<F>[]>()
  readonly #alone: Alone<F>[] = []
  #isOneAlone = false
  #isLeft = false
  #yieldedAt = 0

  constructor(parts: HandlerPoolParts<F>) {
    this.#parts = parts
    this.#calls = new HandlerCalls(parts)
  }

  /** Takes an entry over; its place in the order is the one of this call. `past` is given when it was delivered before. */
  push(entry: Entry<F>, past?: () => Promise<Past>): void {
    const key = this.#keyOf(entry)
    const task = { entry, past, key }
    if (isPlace(key)) {
      const behind = this.#behind.get(key)
      if (behind !== undefined) {
        behind.push(task)
        return
      }
      this.#behind.set(key, [])
    }
    this.#waiting.push(task)
    this.#startNext()
  }

  /** Begins what may begin, as after a pause. */
  resume(): void {
    while (this.#startNext());
  }

  /** After the signal aborted: waits for the handlers that run; what has not begun stays in flight for the caller. */
  async stopped(): Promise<void> {
    this.#waiting.length = 0
    this.#alone.length = 0
    this.#behind.clear()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** What still runs is nobody's from now on: its outcome is ignored. */
  leave(): void {
    this.#isLeft = true
  }

  /** False when there was nothing to start, or no place. */
  #startNext(): boolean {
    const { concurrency, signal, pause } = this.#parts
    if (signal.aborted || pause.isPaused || this.#isOneAlone) return false
    if (this.#alone.length > 0) return this.#startAlone()
    if (this.#running.size >= concurrency) return false
    const task = this.#waiting.shift()
    if (task === undefined) return false
    this.#start(task, this.#run(task))
    return true
  }

  #startAlone(): boolean {
    const next = this.#running.size === 0 ? this.#alone.shift() : undefined
    if (next === undefined) return false
    this.#isOneAlone = true
    const running = this.#runAlone(next).finally(() => (this.#isOneAlone = false))
    this.#start(next.task, running)
    return true
  }

  /** @param work resolves to true when the entry's turn is still to come. */
  #start(task: Task<F>, work: Promise<boolean>): void {
    const running: Promise<void> = work
      .catch((error: unknown) => {
        // A passing failure gets here only while stopping: the entry is given back.
        if (!isPassing(error)) this.#parts.onFailure(error)
      })
      .then((isToCome) => {
        this.#running.delete(running)
        if (isToCome !== true) this.#releaseKey(task.key)
        this.resume()
      })
    this.#running.add(running)
  }

  #keyOf(entry: Entry<F>): Key {
    const { orderBy } = this.#parts
    if (orderBy === undefined) return undefined
    try {
      const key: unknown = orderBy(entry)
      if (typeof key === 'string' || typeof key === 'number') return key
      return new TypeError(`orderBy returned ${shown(key)}: it is a text or a number`)
    } catch (error) {
      return new Error(`orderBy threw "${messageOf(error)}"`, { cause: error })
    }
  }

  #releaseKey(key: Key): void {
    if (!isPlace(key)) return
    const next = this.#behind.get(key)?.shift()
    if (next === undefined) this.#behind.delete(key)
    else this.#waiting.push(next)
  }

  async #run(task: Task<F>): Promise<boolean> {
    const past = await this.#pastOf(task)
    // What has waited for that has not begun.
    if (past === undefined || (task.past !== undefined && this.#parts.signal.aborted)) return false
    const { deaths } = past
    if (deaths > 0 && (past.turn === 'later' || deaths >= this.#parts.deathsMax)) {
      this.#settle(task, past, this.#afterDeaths(deaths))
      return false
    }
    if (past.turn === 'alone') {
      this.#alone.push({ task, past })
      return true
    }
    await this.#handle(task, past)
    return false
  }

  /** Nothing else is in work, and nothing of what was handled before is lost should the process die. */
  async #runAlone({ task, past }: Alone<F>): Promise<boolean> {
    const { untilSettled, signal } = this.#parts
    const { id } = task.entry
    await untilSettled()
    if (signal.aborted) return false
    const deaths = past.deaths + 1
    await this.#parts.past.begin(id, deaths)
    const settlement = await this.#handle(task, { ...past, deaths })
    if (settlement === undefined || settlement.kind === 'retry') await this.#parts.past.end(id)
    await untilSettled()
    return false
  }

  #afterDeaths(deaths: number): Decided {
    const { deathsMax } = this.#parts
    const times = deaths === 1 ? 'once' : `${deaths} times`
    const error = `the process died ${times} while the handler had only this entry`
    if (deaths < deathsMax)
      return { kind: 'retry', afterMs: backoffMs(deaths - 1, deathWait), error }
    return { kind: 'dead-letter', reason: error }
  }

  /** Returns what became of the entry; undefined when it is given back. */
  async #handle(task: Task<F>, past: Past): Promise<Settlement | undefined> {
    const attempt = past.failed + 1
    const settlement = await this.#decided(task, attempt)
    if (settlement === undefined || this.#isLeft) return undefined
    this.#settle(task, { ...past, failed: attempt }, settlement)
    return settlement
  }

  async #decided({ entry, key }: Task<F>, attempt: number): Promise<Settlement | undefined> {
    const { signal, retry, attemptsMax } = this.#parts
    try {
      await this.#yieldNow()
      if (key instanceof Error) throw key
      const outcome = outcomeOf(await this.#call(entry, attempt))
      if (outcome.kind !== 'retry') return outcome
      const error = 'the handler asked for a retry'
      return again({ attempt, attemptsMax, afterMs: outcome.afterMs, error })
    } catch (error) {
      // A handler that broke off because we stop has not failed.
      return signal.aborted ? undefined : decide({ entry, error, attempt }, retry, attemptsMax)
    }
  }

  async #call(entry: Entry<F>, attempt: number): Promise<unknown> {
    const { readAhead } = this.#parts
    if (readAhead === undefined) return await this.#calls.call(entry, attempt)
    const began = performance.now()
    try {
      return await this.#calls.call(entry, attempt)
    } finally {
      readAhead.note(performance.now() - began)
    }
  }

  /** Undefined when the consumer ends before that is known. */
  async #pastOf({ past }: Task<F>): Promise<Past | undefined> {
    if (past === undefined) return firstDelivery
    try {
      return await past()
    } catch {
      return undefined
    }
  }

  /** Handlers that await nothing would keep the event loop from renewals and replies. */
  async #yieldNow(): Promise<void> {
    if (performance.now() - this.#yieldedAt < yieldAfterMs) return
    await setImmediate()
    this.#yieldedAt = performance.now()
  }

  #settle({ entry, past }: Task<F>, { failed, deaths }: Past, settlement: Settlement): void {
    const { onSettled, onRetry } = this.#parts
    const { id } = entry
    const known = { id, isRedelivery: past !== undefined, wasAlone: deaths > 0 }
    switch (settlement.kind) {
      case 'acknowledge':
        onSettled({ kind: 'apply', entry, ...known })
        return
      case 'dead-letter': {
        const error = settlement.reason
        onSettled({ kind: 'dead-letter', reason: 'handler', error, attempts: failed, ...known })
        return
      }
      case 'retry': {
        const { afterMs, error } = settlement
        onRetry({ id, attempt: failed, afterMs, error })
        return
      }
      default:
        settlement satisfies never
    }
  }
}

function isPlace(key: Key): key is string | number {
  return typeof key === 'string' || typeof key === 'number'
}
