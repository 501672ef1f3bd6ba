/**
 * START HERE: one consumer of a group. Promise: whatever crashes, an entry takes effect once, or stays pending or undelivered.
 *
 * Pushed down, where nobody needs entries in Node. One script takes them, folds, applies, and moves the group:
 *
 *   delivery-reader (waits) -- push-down -- lua/push-down.lua
 *
 * Pulled, with a handler, and whatever is pending or claimed. The gate applies and acknowledges in one script:
 *
 *   delivery-reader --+                        +-- handler-pool --+
 *                     +-- intake (decode) -----+       |          +-- applier -- gate -- lua/acknowledge-and-apply.lua
 *   claimer ----------+                        +-------|----------+
 *        ^                                             v
 *        +-- lua/sweep.lua: who is dead          retries: parked in Redis until they are due
 *
 * Around both: the lease on the consumer's name, and the pause switch, which the sweeps turn. Here is when all that runs and ends;
 * `consumer-parts.ts` makes each part, and shows what it gets and whom it calls.
 *
 * Guards:
 *   lease: renewed until nothing is in flight any more, also while a stop waits
 *   claim: a stop gives back what a claim that is under way brings
 *   retry: a stop waits until what shall be tried again is parked, or has its dead letter
 *   pause: a pause ends a read that waits
 */
import { holdTo } from '../apply/definition.ts'
import { isPassing } from '../support/errors.ts'
import type { Fields } from '../declare/fields.ts'
import { Lifetime, type StopOptions } from '../support/lifetime.ts'
import { isPaused } from './pause.ts'
import { persist } from '../support/persist.ts'
import type { ConsumerCounts } from './consumer-events.ts'
import type { ConsumerOptions, Place } from './consumer-options.ts'
import { ConsumerParts } from './consumer-parts.ts'

export class Consumer<F extends Fields = Fields> {
  readonly name: string
  readonly #place: Place<F>
  readonly #isDraining: boolean
  readonly #lifetime: Lifetime
  readonly #parts: ConsumerParts<F>
  #failure: { readonly error: unknown } | undefined
  #claiming: Promise<void> | undefined

  /** Use `Group.consumer`. */
  constructor(place: Place<F>, name: string, options: ConsumerOptions<F>) {
    this.name = name
    this.#place = place
    this.#lifetime = new Lifetime(`Consumer "${name}"`, place.runs)
    this.#parts = new ConsumerParts(place, name, options, {
      signal: this.#lifetime.signal,
      onCaughtUp: () => this.#caughtUp(),
      onNothing: () => this.#foundNothing(),
      onPaused: (paused) => this.#setPaused(paused),
      onFailure: (error) => this.#fail(error),
    })
    this.#isDraining = options.drain ?? false
  }

  /** What it has done since it was started. */
  get counts(): ConsumerCounts {
    return this.#parts.events.counts
  }

  /** How long its lease runs on unless it is renewed (ms); 0 before it has its name and after its end. */
  get leaseLeftMs(): number {
    return this.#parts.lease.leftMs
  }

  /** Whether it, or its group, is paused, as far as it knows. */
  get isPaused(): boolean {
    return this.#parts.pause.isPaused
  }

  /**
   * Works until it is stopped, or drained. Starts with the entries that are pending for its name.
   * @throws {MillraceError} NAME_TAKEN, SUPERSEDED, PROJECTION_CHANGED, NO_GROUP, WRONG_TYPE and other failures that do not pass; lost
   *   connections do.
   */
  async run(): Promise<void> {
    await this.#lifetime.run(() => this.#work())
  }

  /**
   * Stops reading, aborts the handlers' signal, finishes what is in flight, gives back what was not begun. With `withinMs`, what still runs
   * then is given back, too, and its outcome ignored; `run` ends. Safe to call twice or before the run; in a handler, which it waits
   * for, not to be awaited.
   */
  async stop(options?: StopOptions): Promise<void> {
    await this.#lifetime.stop(options)
  }

  async #work(): Promise<void> {
    if (!(await this.#takeLease())) return
    const { lease, pool, claimer, inFlight } = this.#parts
    // Renewed until no entry is in flight, so that nobody claims what we still work on.
    const renewals = new AbortController()
    const renewing = lease.run(renewals.signal).catch((error: unknown) => this.#fail(error))
    try {
      await this.#holdToDefinition()
      await this.#lifetime.unlessLeft(this.#process())
      pool?.leave()
      if (this.#failure !== undefined) throw this.#failure.error
      await claimer.giveBack(inFlight.ids()).catch((error: unknown) => {
        // They idle out instead.
        if (!isPassing(error)) throw error
      })
    } finally {
      renewals.abort()
      await renewing
      await lease.release()
    }
  }

  async #holdToDefinition(): Promise<void> {
    const { keys, plans } = this.#parts
    const { connection, group } = this.#place
    await holdTo(connection, keys, { group: group.name, plans, signal: this.#lifetime.signal })
  }

  async #process(): Promise<void> {
    const { reader, pool } = this.#parts
    await this.#lookWhetherPaused()
    await reader.run().catch((error: unknown) => this.#fail(error))
    await this.#claiming
    await pool?.stopped()
    await this.#parts.settled()
  }

  /** False when the consumer was stopped before it had its name. */
  async #takeLease(): Promise<boolean> {
    try {
      return !this.#lifetime.signal.aborted && (await this.#parts.lease.take())
    } catch (error) {
      if (!(this.#lifetime.signal.aborted && isPassing(error))) throw error
      return false
    }
  }

  async #lookWhetherPaused(): Promise<void> {
    const { keys, pause } = this.#parts
    const look = () => isPaused(this.#place.connection, keys, { consumer: this.name })
    this.#setPaused(await persist(this.#lifetime.signal, look).catch(() => false))
    // The sweeps tell when it is resumed.
    if (pause.isPaused) this.#startClaiming()
  }

  #setPaused(isPaused: boolean): void {
    const { pause, events, reader, pool, retries } = this.#parts
    if (!pause.set(isPaused)) return
    events.paused(isPaused)
    if (isPaused) reader.interrupt()
    else {
      pool?.resume()
      retries.wakeIn(0)
    }
  }

  #caughtUp(): void {
    this.#parts.events.started()
    this.#startClaiming()
  }

  /** First what is our own, then what others left. */
  #startClaiming(): void {
    this.#claiming ??= this.#parts.claimer.run().catch((error: unknown) => this.#fail(error))
  }

  async #foundNothing(): Promise<boolean> {
    const { events, inFlight } = this.#parts
    events.waiting()
    if (!this.#isDraining || inFlight.size > 0) return false
    const isDrained = await this.#place.group.isDrained()
    if (isDrained) this.#lifetime.end()
    return isDrained
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#lifetime.end()
  }
}
