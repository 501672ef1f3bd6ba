/**
 * The next attempts at entries that a handler could not process. Promise: what is scheduled outlives this process: the
 * entry stays pending, parked under the consumer `retry`, and any living consumer takes it when it is due.
 * Guards:
 *   pause: takes nothing while the consumer is paused
 *   lease: takes the lease again where it went away, before it schedules
 *   timer: waits for longer than a timer of Node can
 *   in-flight: overlooks nothing that is due while it still is in flight
 */
import { setImmediate } from 'node:timers/promises'
import { isPassing } from '../support/errors.ts'
import type { InFlight } from '../apply/in-flight.ts'
import type { GroupKeys } from '../redis/keys.ts'
import type { PauseSwitch } from '../support/pause-switch.ts'
import { persist } from '../support/persist.ts'
import type { Connection } from '../redis/connection.ts'
import type { RawEntry } from '../redis/replies.ts'
import * as scripts from '../scripts/retries.ts'

/** A failed attempt that is to be repeated. */
export interface Retry {
  readonly id: string
  /** Attempts that have failed, this one among them; 0 when none has, and the entry waits since processes died with it. */
  readonly attempt: number
  readonly afterMs: number
  /** Why it failed, in words. */
  readonly error: string
}

export interface RetriesParts {
  readonly connection: Connection
  readonly keys: GroupKeys
  readonly who: { readonly group: string; readonly consumer: string; readonly token: string }
  readonly inFlight: InFlight
  /** Aborted: nothing is taken any more. */
  readonly signal: AbortSignal
  /** While it is on, nothing is taken. */
  readonly pause: PauseSwitch
  readonly renewLease: () => Promise<void>
  readonly onScheduled: (retry: Retry) => void
  /** Taken: it is time for their next attempt. */
  readonly onDue: (entries: readonly RawEntry[]) => void
  /** Not pending for this consumer any more. */
  readonly onSuperseded: (ids: readonly string[]) => void
  /** The body is gone; `isSettled`: a dead letter says so already. */
  readonly onLost: (ids: readonly string[], isSettled: boolean) => void
  /** A failure that does not pass, or a bug. */
  readonly onFailure: (error: unknown) => void
}

// About 1 ms of the server.
const countMax = 100
// A longer timer would fire at once.
const timerMaxMs = 2 ** 31 - 1
// After a call that failed, or found no room in flight.
const againMs = 100

export class Retries {
  readonly #parts: RetriesParts
  readonly #running = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  #taking: Promise<void> | undefined

  constructor(parts: RetriesParts) {
    this.#parts = parts
    parts.signal.addEventListener('abort', () => clearTimeout(this.#timer))
  }

  /** Parks an entry that is in flight until it is due; it is in flight until the server has confirmed that. */
  schedule(retry: Retry): void {
    const running: Promise<void> = this.#schedule(retry)
      .catch((error: unknown) => {
        // A passing failure gets here only while stopping: the entry stays pending and is given back.
        if (!isPassing(error)) this.#parts.onFailure(error)
      })
      .then(() => void this.#running.delete(running))
    this.#running.add(running)
  }

  /** Looks for due entries in so many milliseconds, or sooner if that was planned. */
  wakeIn(ms: number): void {
    const { signal } = this.#parts
    const at = performance.now() + Math.min(ms, timerMaxMs)
    if (signal.aborted || at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity
      this.#taking ??= this.#take().finally(() => (this.#taking = undefined))
    }, at - performance.now())
  }

  /** Resolves when nothing is being scheduled or taken. */
  async done(): Promise<void> {
    await this.#taking
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #schedule(retry: Retry): Promise<void> {
    const { connection, keys, who, signal, inFlight } = this.#parts
    const { id, attempt, afterMs } = retry
    const what = { ...who, id, attempt, afterMs }
    for (;;) {
      const kind = await persist(signal, () => scripts.retry(connection, keys, what))
      if (kind === 'superseded') {
        await persist(signal, this.#parts.renewLease)
        continue
      }
      if (kind === 'lost') {
        this.#parts.onLost([id], false)
        return
      }
      inFlight.release([id])
      // After a lost reply, `gone` may also say that the first call went through.
      if (kind === 'gone') this.#parts.onSuperseded([id])
      else this.#parts.onScheduled(retry)
      this.wakeIn(afterMs)
      return
    }
  }

  async #take(): Promise<void> {
    const { connection, keys, who, inFlight, signal, pause } = this.#parts
    const most = Math.min(countMax, inFlight.roomForClaims(countMax))
    if (signal.aborted || pause.isPaused) return
    if (most === 0) {
      this.wakeIn(againMs)
      return
    }
    try {
      const due = await scripts.takeDue(connection, keys, { ...who, countMax: most })
      // What was scheduled in a reply that came together with this one is still in flight for a moment.
      await setImmediate()
      const { nextDueMs, entries, lost } = due
      if (entries.length > 0) this.#parts.onDue(entries)
      if (lost.length > 0) this.#parts.onLost(lost, true)
      if (nextDueMs !== null) this.wakeIn(nextDueMs)
    } catch (error) {
      if (!isPassing(error)) this.#parts.onFailure(error)
      // Taken with a lost reply: pending for us, and found as a stray.
      else this.wakeIn(againMs)
    }
  }
}
