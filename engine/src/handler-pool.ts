/** Runs the user's handler. Promise: what a handler throws or returns becomes an outcome here, and never ends the consumer. */
import { setImmediate } from 'node:timers/promises'
import type { Settled } from './effects.ts'
import type { Fields } from './fields.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import type { PauseSwitch } from './pause-switch.ts'
import type { Retry } from './retries.ts'
import { again, decide, type Decided, type RetryPolicy } from './retry-policy.ts'
import { messageOf, shown } from './shown.ts'
import type { Entry } from './stream.ts'

export interface HandlerContext {
  /** 1 for the first attempt; failed attempts of other processes count. */
  readonly attempt: number
  /** Aborts when the consumer stops; a handler that ends early then may throw, and the entry is given back. */
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
  /** After so many failed attempts an entry becomes a dead letter, whatever the policy says. */
  readonly attemptsMax: number
  readonly retry: RetryPolicy<F> | undefined
  /** Entries with the same key are handled one after the other; undefined: in any order. */
  readonly orderBy: ((entry: Entry<F>) => string | number) | undefined
  readonly signal: AbortSignal
  readonly pause: PauseSwitch
  readonly onSettled: (settled: Settled) => void
  readonly onRetry: (retry: Retry) => void
  /** A bug of ours. */
  readonly onFailure: (error: unknown) => void
}

/** Rejects only when the consumer ends: then the entry is given back. */
type AttemptsOf = () => Promise<number>

interface Task<F extends Fields> {
  readonly entry: Entry<F>
  /** Finds out how many attempts have failed before; undefined: none. */
  readonly failed: AttemptsOf | undefined
  readonly key: Key
}

/** An error: `orderBy` gives the entry no place, which is a failed attempt. */
type Key = string | number | undefined | Error

type Acknowledged = Extract<Outcome, { kind: 'acknowledge' }>

const yieldAfterMs = 10

export class HandlerPool<F extends Fields> {
  readonly #parts: HandlerPoolParts<F>
  readonly #waiting: Task<F>[] = []
  readonly #running = new Set<Promise<void>>()
  /** By key: what waits until the entry before it is handled. A key without an entry in work has none. */
  readonly #behind = new Map<string | number, Task<F>[]>()
  #yieldedAt = 0

  constructor(parts: HandlerPoolParts<F>) {
    this.#parts = parts
  }

  /** Takes an entry over; its place in the order is the one of this call. `failed` is given when it was delivered before. */
  push(entry: Entry<F>, failed?: AttemptsOf): void {
    const key = this.#keyOf(entry)
    const task = { entry, failed, key }
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

  /** After a pause: begins what has waited. */
  resume(): void {
    while (this.#startNext());
  }

  /** After the signal aborted: waits for the handlers that run; what has not begun stays in hand for the caller. */
  async stopped(): Promise<void> {
    this.#waiting.length = 0
    this.#behind.clear()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  /** False when there was nothing to start, or no place. */
  #startNext(): boolean {
    const { concurrency, signal, pause, onFailure } = this.#parts
    if (this.#running.size >= concurrency || signal.aborted || pause.isPaused) return false
    const task = this.#waiting.shift()
    if (task === undefined) return false
    const running: Promise<void> = this.#run(task)
      .catch(onFailure)
      .then(() => {
        this.#running.delete(running)
        this.#releaseKey(task.key)
        this.#startNext()
      })
    this.#running.add(running)
    return true
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

  async #run(task: Task<F>): Promise<void> {
    const attempt = await this.#attemptOf(task)
    if (attempt === undefined) return
    const decided = await this.#decided(task, attempt)
    if (decided !== undefined) this.#settle(task, attempt, decided)
  }

  /** What becomes of the entry; undefined when it is given back. */
  async #decided(
    { entry, key }: Task<F>,
    attempt: number,
  ): Promise<Acknowledged | Decided | undefined> {
    const { handler, signal, retry, attemptsMax } = this.#parts
    try {
      await this.#yieldNow()
      if (key instanceof Error) throw key
      const outcome = outcomeOf(await handler(entry, { attempt, signal }))
      if (outcome.kind !== 'retry') return outcome
      const error = 'the handler asked for a retry'
      return again({ attempt, attemptsMax, afterMs: outcome.afterMs, error })
    } catch (error) {
      // A handler that broke off because we stop has not failed.
      return signal.aborted ? undefined : decide({ entry, error, attempt }, retry, attemptsMax)
    }
  }

  /** Undefined when the consumer ends before that is known. */
  async #attemptOf({ failed }: Task<F>): Promise<number | undefined> {
    if (failed === undefined) return 1
    try {
      return (await failed()) + 1
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

  #settle({ entry, failed }: Task<F>, attempts: number, decided: Acknowledged | Decided): void {
    const { onSettled, onRetry } = this.#parts
    const { id } = entry
    const isAgain = failed !== undefined
    switch (decided.kind) {
      case 'acknowledge':
        onSettled({ kind: 'apply', id, entry, isAgain })
        return
      case 'dead-letter': {
        const error = decided.reason
        onSettled({ kind: 'dead-letter', id, reason: 'handler', error, attempts, isAgain })
        return
      }
      case 'retry':
        onRetry({ id, attempt: attempts, afterMs: decided.afterMs, error: decided.error })
        return
      default:
        decided satisfies never
    }
  }
}

function isPlace(key: Key): key is string | number {
  return typeof key === 'string' || typeof key === 'number'
}
