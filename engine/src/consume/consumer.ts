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
 *                     +-- #receive (decode) ---+       |          +-- applier -- gate -- lua/acknowledge-and-apply.lua
 *   claimer ----------+                        +-------|----------+
 *        ^                                             v
 *        +-- lua/sweep.lua: who is dead          retries: parked in Redis until they are due
 *
 * Around both: the lease on the consumer's name, and the pause switch, which the sweeps turn.
 *
 * Guards:
 *   lease: renewed until nothing is in flight any more, also while a stop waits
 *   claim: a stop gives back what a claim that is under way brings
 *   retry: a stop waits until what shall be tried again is parked, or has its dead letter
 *   pause: a pause ends a read that waits
 */
import { Applier, type ApplierParts } from '../apply/applier.ts'
import { Claimer, type ClaimerParts } from './claimer.ts'
import { holdTo, type Folds } from '../apply/definition.ts'
import { DeliveryReader } from './delivery-reader.ts'
import { Gate } from '../apply/gate.ts'
import { isPassing } from '../support/errors.ts'
import type { Fields } from '../declare/fields.ts'
import { HandlerPool } from '../handle/handler-pool.ts'
import { InFlight } from '../apply/in-flight.ts'
import { groupKeys, type GroupKeys } from '../redis/keys.ts'
import { lostLetter, redelivered, takeIn } from './intake.ts'
import { Lease } from './lease.ts'
import { Lifetime, type StopOptions } from '../support/lifetime.ts'
import { firstDelivery, PastDeliveries, type Delivery } from '../handle/past-deliveries.ts'
import { PauseSwitch } from '../support/pause-switch.ts'
import { isPaused } from './pause.ts'
import { persist } from '../support/persist.ts'
import { plansOf, type Plan } from '../declare/plan.ts'
import { PushDown, type FoldedBatch } from './push-down.ts'
import type { Connection } from '../redis/connection.ts'
import { Retries } from '../handle/retries.ts'
import { Decoder, type Entry } from '../declare/stream.ts'
import { ConsumerEvents, type ConsumerCounts } from './consumer-events.ts'
import { checked, isPushedDown } from './consumer-options.ts'
import type { ConsumerOptions, Place, Settings } from './consumer-options.ts'
import type { RawEntry } from '../redis/replies.ts'

/** What the parts of a consumer are given in common. */
type Shared = Omit<ApplierParts, 'gate' | 'onApplied'> & Pick<ClaimerParts, 'leaseMs' | 'pause'>

export class Consumer<F extends Fields = Fields> {
  readonly name: string
  readonly #connection: Connection
  readonly #group: Place<F>['group']
  readonly #keys: GroupKeys
  readonly #isDraining: boolean
  readonly #folds: Folds
  readonly #events: ConsumerEvents<F>
  readonly #decoder: Decoder<F>
  readonly #inFlight: InFlight
  readonly #pause = new PauseSwitch()
  readonly #lifetime: Lifetime
  readonly #reader: DeliveryReader
  readonly #claimer: Claimer
  readonly #lease: Lease
  readonly #applier: Applier
  readonly #retries: Retries
  readonly #past: PastDeliveries
  readonly #pool: HandlerPool<F> | undefined
  #failure: { readonly error: unknown } | undefined
  #claiming: Promise<void> | undefined

  /** Use `Group.consumer`. */
  constructor({ connection, group, runs }: Place<F>, name: string, options: ConsumerOptions<F>) {
    const settings = checked(options)
    this.#lifetime = new Lifetime(`Consumer "${name}"`, runs)
    this.name = name
    this.#connection = connection
    this.#group = group
    this.#keys = groupKeys(group.stream.key, group.name)
    this.#isDraining = options.drain ?? false
    this.#events = new ConsumerEvents(options.observer, name)
    this.#decoder = new Decoder(group.stream)
    this.#inFlight = new InFlight(settings.inHandMax, settings.readAhead)
    this.#lease = this.#newLease(connection, settings)
    const plans = plansOf(options.projections ?? [], group.stream)
    this.#folds = { group: group.name, plans, signal: this.#lifetime.signal }
    const shared: Shared = {
      connection,
      keys: this.#keys,
      who: { group: group.name, consumer: name, token: this.#lease.token },
      leaseMs: settings.leaseMs,
      signal: this.#lifetime.signal,
      inFlight: this.#inFlight,
      pause: this.#pause,
      batchMax: settings.batch,
      renewLease: () => this.#lease.renew(),
      onSuperseded: (ids) => this.#events.superseded(ids),
      onFailure: (error) => this.#fail(error),
    }
    this.#applier = new Applier({
      ...shared,
      gate: new Gate(connection, plans),
      onApplied: (settled) => this.#events.applied(settled),
    })
    this.#retries = new Retries({
      ...shared,
      onScheduled: (retry) => this.#events.retried(retry),
      onDue: (entries) => this.#receive(entries, 'retried'),
      onLost: (ids, isSettled) => this.#lost(ids, isSettled),
    })
    this.#past = new PastDeliveries(shared)
    this.#claimer = this.#newClaimer(shared, settings)
    this.#reader = this.#newReader(shared, plans, options, settings)
    const { handler, retry, orderBy } = options
    if (handler === undefined) return
    this.#pool = new HandlerPool({
      ...shared,
      ...settings,
      ...{ handler, retry, orderBy, past: this.#past },
      untilSettled: () => this.#settled(),
      onSettled: (settled) => this.#applier.push([settled]),
      onRetry: (failed) => this.#retries.schedule(failed),
    })
  }

  #newLease(connection: Connection, settings: Settings): Lease {
    return new Lease({
      connection,
      keys: this.#keys,
      who: { group: this.#group.name, consumer: this.name },
      leaseMs: settings.leaseMs,
      signal: this.#lifetime.signal,
      onLapsed: () => this.#claimer.holdOff(),
    })
  }

  #newClaimer(shared: Shared, { claimAfterMs, removeAfterMs }: Settings): Claimer {
    return new Claimer({
      ...shared,
      // A turn of 0.8 and a pause of 1.1 of it are within the quarter that follows a lease.
      sweepEveryMs: Math.min(claimAfterMs / 8, 1250),
      removeAfterMs,
      onPaused: (paused) => this.#setPaused(paused),
      onRetryDue: (ms) => this.#retries.wakeIn(ms),
      onClaimed: (entries, from) => this.#receive(entries, 'claimed', from),
      onStrays: (entries) => this.#receive(entries, 'pending'),
      onLost: (ids) => this.#lost(ids, true),
    })
  }

  #newReader(
    shared: Shared,
    plans: readonly Plan[],
    options: ConsumerOptions<F>,
    { blockMs, pushDown }: Settings,
  ): DeliveryReader {
    const onFolded = (batch: FoldedBatch): void => this.#events.folded(batch)
    const inServer = isPushedDown(options, this.#group.stream, plans)
      ? new PushDown({ ...shared, ...pushDown, stream: this.#group.stream, plans, onFolded })
      : undefined
    return new DeliveryReader({
      ...shared,
      stream: shared.keys.stream,
      group: shared.who.group,
      consumer: this.name,
      blockMs,
      takeNew: inServer && ((reading) => inServer.takeNew(reading)),
      onDelivered: (entries, how) => this.#receive(entries, how),
      onCaughtUp: () => {
        this.#events.started()
        this.#startClaiming()
      },
      onNothing: () => this.#foundNothing(),
    })
  }

  /** What it has done since it was started. */
  get counts(): ConsumerCounts {
    return this.#events.counts
  }

  /** First what is our own, then what others left. */
  #startClaiming(): void {
    this.#claiming ??= this.#claimer.run().catch((error: unknown) => this.#fail(error))
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
    // Renewed until no entry is in flight, so that nobody claims what we still work on.
    const renewals = new AbortController()
    const renewing = this.#lease.run(renewals.signal).catch((error: unknown) => this.#fail(error))
    try {
      await holdTo(this.#connection, this.#keys, this.#folds)
      await this.#lifetime.unlessLeft(this.#process())
      this.#pool?.leave()
      if (this.#failure !== undefined) throw this.#failure.error
      await this.#claimer.giveBack(this.#inFlight.ids()).catch((error: unknown) => {
        // They idle out instead.
        if (!isPassing(error)) throw error
      })
    } finally {
      renewals.abort()
      await renewing
      await this.#lease.release()
    }
  }

  async #process(): Promise<void> {
    await this.#lookWhetherPaused()
    await this.#reader.run().catch((error: unknown) => this.#fail(error))
    await this.#claiming
    await this.#pool?.stopped()
    await this.#settled()
  }

  /** Resolves when the server has all that was settled or is to be tried again. */
  async #settled(): Promise<void> {
    await this.#retries.done()
    await this.#applier.done()
  }

  /** False when the consumer was stopped before it had its name. */
  async #takeLease(): Promise<boolean> {
    try {
      return !this.#lifetime.signal.aborted && (await this.#lease.take())
    } catch (error) {
      if (!(this.#lifetime.signal.aborted && isPassing(error))) throw error
      return false
    }
  }

  async #lookWhetherPaused(): Promise<void> {
    const look = () => isPaused(this.#connection, this.#keys, { consumer: this.name })
    this.#setPaused(await persist(this.#lifetime.signal, look).catch(() => false))
    // The sweeps tell when it is resumed.
    if (this.#pause.isPaused) this.#startClaiming()
  }

  #setPaused(isPaused: boolean): void {
    if (!this.#pause.set(isPaused)) return
    this.#events.paused(isPaused)
    if (isPaused) this.#reader.interrupt()
    else {
      this.#pool?.resume()
      this.#retries.wakeIn(0)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#lifetime.end()
  }

  /** Every entry comes through here, from wherever it was delivered. */
  #receive(raw: readonly RawEntry[], how: Delivery, from?: string): void {
    const isRedelivery = how !== 'new'
    const taken = { inFlight: this.#inFlight, decoder: this.#decoder, isRedelivery }
    const { entries, settled } = takeIn(raw, taken)
    this.#events.delivered(entries, how, from)
    const pool = this.#pool
    if (pool === undefined) {
      for (const entry of entries)
        settled.push({ kind: 'apply', id: entry.id, entry, isRedelivery })
    } else if (isRedelivery && entries.length > 0) {
      this.#handleAgain(pool, entries, how)
    } else entries.forEach((entry) => pool.push(entry))
    this.#applier.push(settled)
  }

  /** Entries that were delivered before. They keep their place while we ask what is known of them. */
  #handleAgain(pool: HandlerPool<F>, entries: readonly Entry<F>[], how: Delivery): void {
    const ids = entries.map(({ id }) => id)
    const past = this.#past.of(ids, how)
    past.catch((error: unknown) => {
      // A passing failure gets here only while stopping: the entries are given back.
      if (!isPassing(error)) this.#fail(error)
    })
    entries.forEach((entry, at) => pool.push(entry, async () => (await past)[at] ?? firstDelivery))
  }

  /** The bodies of entries are gone; `isSettled`: their dead letters are written. */
  #lost(ids: readonly string[], isSettled: boolean): void {
    const letters = ids.map(lostLetter)
    if (isSettled) this.#events.deadLettered(letters)
    else this.#applier.push(letters.map(redelivered))
  }

  async #foundNothing(): Promise<boolean> {
    this.#events.waiting()
    if (!this.#isDraining || this.#inFlight.size > 0) return false
    const isDrained = await this.#group.isDrained()
    if (isDrained) this.#lifetime.end()
    return isDrained
  }
}
