/**
 * Which entries are handled when: so many at a time, those of a key one after the other, and a suspect alone. Promise: each entry that is
 * pushed is settled, parked for its next attempt, or left in flight for a stop to give back.
 */
import type { Settled } from '../apply/settled.ts'
import { isPassing } from '../support/errors.ts'
import type { Fields } from '../declare/fields.ts'
import { Attempts, type AttemptsParts, type Settlement } from './attempts.ts'
import { KeyOrder, keyOf, type Key } from './key-order.ts'
import { firstDelivery, type Past, type PastDeliveries } from './past-deliveries.ts'
import type { PauseSwitch } from '../support/pause-switch.ts'
import type { Retry } from './retries.ts'
import { afterDeaths } from './retry-policy.ts'
import type { Entry } from '../declare/stream.ts'

export interface HandlerPoolParts<F extends Fields> extends AttemptsParts<F> {
  /** Handlers at a time. */
  readonly concurrency: number
  /** After so many deaths of a process that handled it alone an entry becomes a dead letter. */
  readonly deathsMax: number
  /** Entries with the same key are handled one after the other; undefined: in any order. */
  readonly orderBy: ((entry: Entry<F>) => string | number) | undefined
  readonly pause: PauseSwitch
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

/** An entry whose handler runs with no other beside it. */
interface Alone<F extends Fields> {
  readonly task: Task<F>
  readonly past: Past
}

export class HandlerPool<F extends Fields> {
  readonly #parts: HandlerPoolParts<F>
  readonly #attempts: Attempts<F>
  readonly #waiting: Task<F>[] = []
  readonly #running = new Set<Promise<void>>()
  readonly #order = new KeyOrder<Task<F>>()
  readonly #alone: Alone<F>[] = []
  #isOneAlone = false
  #isLeft = false

  constructor(parts: HandlerPoolParts<F>) {
    this.#parts = parts
    this.#attempts = new Attempts(parts)
  }

  /** Takes an entry over; its place in the order is the one of this call. `past` is given when it was delivered before. */
  push(entry: Entry<F>, past?: () => Promise<Past>): void {
    const task = { entry, past, key: keyOf(entry, this.#parts.orderBy) }
    if (!this.#order.enter(task)) return
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
    this.#order.clear()
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
        const next = isToCome === true ? undefined : this.#order.release(task)
        if (next !== undefined) this.#waiting.push(next)
        this.resume()
      })
    this.#running.add(running)
  }

  async #run(task: Task<F>): Promise<boolean> {
    const past = await this.#pastOf(task)
    // What has waited for that has not begun.
    if (past === undefined || (task.past !== undefined && this.#parts.signal.aborted)) return false
    const { deaths } = past
    const { deathsMax } = this.#parts
    if (deaths > 0 && (past.turn === 'later' || deaths >= deathsMax)) {
      this.#settle(task, past, afterDeaths(deaths, deathsMax))
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

  /** Returns what became of the entry; undefined when it is given back. */
  async #handle(task: Task<F>, past: Past): Promise<Settlement | undefined> {
    const attempt = past.failed + 1
    const { entry, key } = task
    const fault = key instanceof Error ? key : undefined
    const settlement = await this.#attempts.make({ entry, attempt, fault })
    if (settlement === undefined || this.#isLeft) return undefined
    this.#settle(task, { ...past, failed: attempt }, settlement)
    return settlement
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

  #settle({ entry, past }: Task<F>, { failed, deaths }: Past, settlement: Settlement): void {
    const { onSettled, onRetry } = this.#parts
    const { id, unknown: carried } = entry
    const known = { id, isRedelivery: past !== undefined, wasAlone: deaths > 0 }
    switch (settlement.kind) {
      case 'acknowledge':
        onSettled({ kind: 'apply', entry, ...known })
        return
      case 'dead-letter': {
        const error = settlement.reason
        const letter = { reason: 'handler', error, attempts: failed, carried } as const
        onSettled({ kind: 'dead-letter', ...letter, ...known })
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
