/** Runs the user's handler. Promise: what a handler throws or returns becomes an outcome here, and never ends the consumer. */
import { setImmediate } from 'node:timers/promises'
import type { Settled } from './effects.ts'
import type { Fields } from './fields.ts'
import type { PauseSwitch } from './pause-switch.ts'
import type { Retry } from './retries.ts'
import { decide, messageOf, type RetryPolicy } from './retry-policy.ts'
import type { Entry } from './stream.ts'

/** What a handler decides about one delivery. A handler that throws has decided `retry`. */
export type Outcome =
  | { readonly kind: 'acknowledge' }
  /** Tried again after so long; the entry stays pending meanwhile. Counts as an attempt. */
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'dead-letter'; readonly reason: string }

export interface HandlerContext {
  /** 1 for the first attempt; failed attempts of other processes count. */
  readonly attempt: number
  /** Aborts when the consumer stops; a handler that ends early then may throw, and the entry is given back. */
  readonly signal: AbortSignal
}

/**
 * Handles one entry before its effects are applied; returning nothing acknowledges. Its effects outside Redis are at
 * least once: it may see an entry again after a crash.
 */
export type Handler<F extends Fields = Fields> = (
  entry: Entry<F>,
  context: HandlerContext,
  // A handler may return nothing at all.
) => Outcome | undefined | Promise<Outcome | undefined> | Promise<void>

export interface HandlerPoolParts<F extends Fields> {
  readonly handler: Handler<F>
  /** Handlers at a time. */
  readonly concurrency: number
  /** After so many failed attempts an entry becomes a dead letter, unless the policy says otherwise. */
  readonly attemptsMax: number
  readonly retry: RetryPolicy<F> | undefined
  /** Entries with the same key are handled one after the other; undefined: in any order. */
  readonly orderBy: ((entry: Entry<F>) => string | number) | undefined
  readonly signal: AbortSignal
  readonly pause: PauseSwitch
  readonly onSettled: (settled: Settled) => void
  readonly onRetry: (retry: Retry) => void
  /** A bug: an observer that throws. */
  readonly onFailure: (error: unknown) => void
}

interface Task<F extends Fields> {
  readonly entry: Entry<F>
  /** Attempts that have failed before. */
  readonly failed: number
  /** Delivered before, to whomever. */
  readonly isAgain: boolean
  readonly key: string | number | undefined
}

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

  /** Takes an entry over. `failed`: attempts that have failed before; `isAgain`: it was delivered before. */
  push(entry: Entry<F>, failed = 0, isAgain = false): void {
    const key = this.#parts.orderBy?.(entry)
    const task = { entry, failed, isAgain, key }
    if (key !== undefined) {
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

  #releaseKey(key: string | number | undefined): void {
    if (key === undefined) return
    const next = this.#behind.get(key)?.shift()
    if (next === undefined) this.#behind.delete(key)
    else this.#waiting.push(next)
  }

  async #run(task: Task<F>): Promise<void> {
    const { handler, signal, retry, attemptsMax } = this.#parts
    const { entry } = task
    const attempt = task.failed + 1
    let outcome: Outcome
    try {
      await this.#yieldNow()
      outcome = (await handler(entry, { attempt, signal })) ?? { kind: 'acknowledge' }
    } catch (error) {
      // A handler that broke off because we stop has not failed.
      if (signal.aborted) return
      const decided = decide({ entry, error, attempt }, retry, attemptsMax)
      this.#settle(task, decided, messageOf(error))
      return
    }
    if (outcome.kind === 'retry' && attempt >= attemptsMax) {
      const reason = `the handler asked for a retry (attempt ${attempt} of ${attemptsMax})`
      outcome = { kind: 'dead-letter', reason }
    }
    this.#settle(task, outcome, 'the handler asked for a retry')
  }

  /** Handlers that await nothing would keep the event loop from renewals and replies. */
  async #yieldNow(): Promise<void> {
    if (performance.now() - this.#yieldedAt < yieldAfterMs) return
    await setImmediate()
    this.#yieldedAt = performance.now()
  }

  #settle({ entry, failed, isAgain }: Task<F>, outcome: Outcome, error: string): void {
    const { onSettled, onRetry } = this.#parts
    const { id } = entry
    const attempts = failed + 1
    switch (outcome.kind) {
      case 'acknowledge':
        onSettled({ kind: 'apply', id, entry, isAgain })
        break
      case 'dead-letter': {
        const reason = messageOf(outcome.reason)
        onSettled({ kind: 'dead-letter', id, reason: 'handler', error: reason, attempts, isAgain })
        break
      }
      case 'retry':
        onRetry({ id, attempt: attempts, afterMs: waitOf(outcome.afterMs), error })
    }
  }
}

/** Milliseconds from 0 to a year; what is no number means at once. */
function waitOf(afterMs: number): number {
  return afterMs > 0 ? Math.min(afterMs, 365 * 86_400_000) : 0
}
