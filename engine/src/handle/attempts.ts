/**
 * Attempts at entries: each calls the user's handler once. Promise: what a handler throws or returns becomes a settlement here, and
 * never ends the consumer.
 * Guards:
 *   broken-off: a handler that breaks off at a stop has not failed
 *   attempts: who asks for a retry has no attempt more than others
 */
import { setImmediate } from 'node:timers/promises'
import type { Fields } from '../declare/fields.ts'
import { HandlerCalls, type HandlerCallsParts } from './handler-calls.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import type { ReadAhead } from './read-ahead.ts'
import { again, decide, type Decided, type RetryPolicy } from './retry-policy.ts'
import type { Entry } from '../declare/stream.ts'
import type { ConsumerTracing } from '../trace/tracing.ts'

export interface AttemptsParts<F extends Fields> extends HandlerCallsParts<F> {
  /** After so many failed attempts an entry becomes a dead letter, whatever the policy says. */
  readonly attemptsMax: number
  readonly retry: RetryPolicy<F> | undefined
  /** Learns how long handlers take. */
  readonly readAhead: Pick<ReadAhead, 'note'> | undefined
  /** A call of the handler has ended, after so many milliseconds. */
  readonly onHandled: (id: string, ms: number) => void
  /** Undefined: nothing is traced. */
  readonly tracing: ConsumerTracing | undefined
}

/** What becomes of an entry. */
export type Settlement = Extract<Outcome, { kind: 'acknowledge' }> | Decided

/** An entry, and which attempt at it this is. */
interface Attempt<F extends Fields> {
  readonly entry: Entry<F>
  /** 1 for the first one. */
  readonly attempt: number
  /** Why it has failed before the handler is called; undefined: it has not. */
  readonly fault: Error | undefined
}

const yieldAfterMs = 10

export class Attempts<F extends Fields> {
  readonly #parts: AttemptsParts<F>
  readonly #calls: HandlerCalls<F>
  #yieldedAt = 0

  constructor(parts: AttemptsParts<F>) {
    this.#parts = parts
    this.#calls = new HandlerCalls(parts)
  }

  /** Resolves to what becomes of the entry; to undefined when it is to be given back. Never rejects. */
  async make({ entry, attempt, fault }: Attempt<F>): Promise<Settlement | undefined> {
    const { signal, retry, attemptsMax } = this.#parts
    try {
      await this.#yieldNow()
      if (fault !== undefined) throw fault
      const { tracing } = this.#parts
      const outcome =
        tracing === undefined
          ? outcomeOf(await this.#call(entry, attempt))
          : await this.#traced(tracing, entry, attempt)
      if (outcome.kind !== 'retry') return outcome
      const error = 'the handler asked for a retry'
      return again({ attempt, attemptsMax, afterMs: outcome.afterMs, error })
    } catch (error) {
      // A handler that broke off because we stop has not failed.
      return signal.aborted ? undefined : decide({ entry, error, attempt }, retry, attemptsMax)
    }
  }

  #traced(tracing: ConsumerTracing, entry: Entry<F>, attempt: number): Promise<Outcome> {
    const { signal } = this.#parts
    const { id, unknown: carried } = entry
    return tracing.handle({ id, carried, attempt, signal }, async () =>
      outcomeOf(await this.#call(entry, attempt)),
    )
  }

  async #call(entry: Entry<F>, attempt: number): Promise<unknown> {
    const { readAhead, onHandled } = this.#parts
    const began = performance.now()
    try {
      return await this.#calls.call(entry, attempt)
    } finally {
      const ms = performance.now() - began
      readAhead?.note(ms)
      onHandled(entry.id, ms)
    }
  }

  /** Handlers that await nothing would keep the event loop from renewals and replies. */
  async #yieldNow(): Promise<void> {
    if (performance.now() - this.#yieldedAt < yieldAfterMs) return
    await setImmediate()
    this.#yieldedAt = performance.now()
  }
}
