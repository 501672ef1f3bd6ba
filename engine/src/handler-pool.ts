/** Runs the user's handler. Promise: what a handler throws or returns becomes an outcome here, and never ends the consumer. */
import { setImmediate } from 'node:timers/promises'
import { backoffMs } from './backoff.ts'
import type { Settled } from './effects.ts'
import type { Fields } from './fields.ts'
import type { Entry } from './stream.ts'

/** What a handler decides about one delivery. A handler that throws has decided `retry`. */
export type Outcome =
  | { readonly kind: 'acknowledge' }
  /** Tried again after so long; the entry stays pending meanwhile. Counts as an attempt. */
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'dead-letter'; readonly reason: string }

export interface HandlerContext {
  /** 1 for the first attempt of this process. */
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
  /** After so many failed attempts an entry becomes a dead letter. */
  readonly attemptsMax: number
  readonly signal: AbortSignal
  readonly onSettled: (settled: Settled) => void
  readonly onRetry: (id: string, attempt: number, error: string) => void
  /** A bug: an observer that throws. */
  readonly onFailure: (error: unknown) => void
}

interface Task<F extends Fields> {
  readonly entry: Entry<F>
  readonly attempt: number
}

const retryWait = { firstMs: 100, mostMs: 30_000 }
const yieldAfterMs = 10
// A longer timer would fire at once.
const timerMax = 2 ** 31 - 1

export class HandlerPool<F extends Fields> {
  readonly #parts: HandlerPoolParts<F>
  readonly #waiting: Task<F>[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #running = new Set<Promise<void>>()
  #yieldedAt = 0

  constructor(parts: HandlerPoolParts<F>) {
    this.#parts = parts
  }

  push(entry: Entry<F>): void {
    this.#enqueue({ entry, attempt: 1 })
  }

  /** After the signal aborted: waits for the handlers that run; what has not begun stays in hand for the caller. */
  async stopped(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#waiting.length = 0
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #enqueue(task: Task<F>): void {
    this.#waiting.push(task)
    this.#startNext()
  }

  #startNext(): void {
    if (this.#running.size >= this.#parts.concurrency || this.#parts.signal.aborted) return
    const task = this.#waiting.shift()
    if (task === undefined) return
    const running: Promise<void> = this.#run(task)
      .catch((error: unknown) => this.#parts.onFailure(error))
      .then(() => {
        this.#running.delete(running)
        this.#startNext()
      })
    this.#running.add(running)
  }

  async #run(task: Task<F>): Promise<void> {
    const { handler, signal } = this.#parts
    try {
      await this.#yieldNow()
      const outcome = await handler(task.entry, { attempt: task.attempt, signal })
      this.#settle(task, outcome ?? { kind: 'acknowledge' })
    } catch (error) {
      this.#retry(task, backoffMs(task.attempt - 1, retryWait), messageOf(error))
    }
  }

  /** Handlers that await nothing would keep the event loop from renewals and replies. */
  async #yieldNow(): Promise<void> {
    if (performance.now() - this.#yieldedAt < yieldAfterMs) return
    await setImmediate()
    this.#yieldedAt = performance.now()
  }

  #settle(task: Task<F>, outcome: Outcome): void {
    const { entry } = task
    if (outcome.kind === 'acknowledge') {
      this.#parts.onSettled({ kind: 'apply', id: entry.id, entry })
    } else if (outcome.kind === 'dead-letter') {
      this.#deadLetter(task, messageOf(outcome.reason))
    } else {
      this.#retry(task, outcome.afterMs, 'the handler asked for a retry')
    }
  }

  #deadLetter({ entry }: Task<F>, error: string): void {
    this.#parts.onSettled({ kind: 'dead-letter', id: entry.id, reason: 'handler', error })
  }

  #retry(task: Task<F>, afterMs: number, error: string): void {
    const { attemptsMax, onRetry, signal } = this.#parts
    // A handler that broke off because we stop has not failed.
    if (signal.aborted) return
    if (task.attempt >= attemptsMax) {
      this.#deadLetter(task, `${error} (attempt ${task.attempt} of ${attemptsMax})`)
      return
    }
    onRetry(task.entry.id, task.attempt, error)
    const clamped = Math.min(Math.max(0, afterMs), timerMax)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#enqueue({ entry: task.entry, attempt: task.attempt + 1 })
    }, clamped)
    this.#timers.add(timer)
  }
}

/** Anything can be thrown, even what has no text. */
function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'the handler threw something without a text'
  }
}
