/**
 * START HERE: one consumer of a group. It reads what the group delivers, lets the handler decide if there is one, and
 * applies and acknowledges in one script. Promise: whatever crashes, an entry takes effect once or stays pending.
 *
 *   delivery-reader --+                      +-- handler-pool --+
 *                     +-- receive (decode) --+                  +-- applier -- gate (effects.ts, lua/)
 *   claimer ----------+                      +------------------+
 */
import { Applier, type ApplierParts } from './applier.ts'
import { Claimer, type ClaimerParts } from './claimer.ts'
import { DeliveryReader, type RawEntry } from './delivery-reader.ts'
import { Gate } from './effects.ts'
import { isPassing } from './errors.ts'
import type { Fields } from './fields.ts'
import type { Group } from './group.ts'
import { HandlerPool, type Handler } from './handler-pool.ts'
import { InHand } from './in-hand.ts'
import { groupKeys } from './keys.ts'
import { lostLetter, takeIn } from './intake.ts'
import { Lease } from './lease.ts'
import { PauseSwitch } from './pause-switch.ts'
import { isPaused } from './pause.ts'
import { persist } from './persist.ts'
import { plansOf } from './plan.ts'
import type { Connection } from './redis/connection.ts'
import { Retries } from './retries.ts'
import { Decoder, type Entry } from './stream.ts'
import { Teller, type ConsumerCounts } from './teller.ts'
import { checked, type ConsumerOptions, type Delivery, type Settings } from './consumer-options.ts'

/** What the parts of a consumer are given in common. */
type Shared = Omit<ApplierParts, 'gate' | 'onApplied'> & Pick<ClaimerParts, 'leaseMs' | 'pause'>

// Three quarters for the lease, one for the sweep that follows its end.
const leaseMsOf = ({ claimAfterMs }: Settings): number => claimAfterMs * 0.75

export class Consumer<F extends Fields = Fields> {
  readonly name: string
  readonly #connection: Connection
  readonly #group: Group<F>
  readonly #isDraining: boolean
  readonly #teller: Teller<F>
  readonly #decoder: Decoder<F>
  readonly #inHand: InHand
  readonly #pause = new PauseSwitch()
  readonly #stopping = new AbortController()
  readonly #reader: DeliveryReader
  readonly #claimer: Claimer
  readonly #lease: Lease
  readonly #applier: Applier
  readonly #retries: Retries
  readonly #pool: HandlerPool<F> | undefined
  #failure: { readonly error: unknown } | undefined
  #claiming: Promise<void> | undefined
  #run: Promise<void> | undefined

  /** Use {@link Group.consumer}. */
  constructor(connection: Connection, group: Group<F>, name: string, options: ConsumerOptions<F>) {
    const settings = checked(options)
    this.name = name
    this.#connection = connection
    this.#group = group
    this.#isDraining = options.drain ?? false
    this.#teller = new Teller(options.observer)
    this.#decoder = new Decoder(group.stream)
    this.#inHand = new InHand(settings.inHandMax)
    this.#lease = this.#newLease(connection, settings)
    const shared: Shared = {
      connection,
      keys: groupKeys(group.stream.key, group.name),
      who: { group: group.name, consumer: name, token: this.#lease.token },
      leaseMs: leaseMsOf(settings),
      signal: this.#stopping.signal,
      inHand: this.#inHand,
      pause: this.#pause,
      batchMax: settings.batch,
      renewLease: () => this.#lease.renew(),
      onSuperseded: (ids) => this.#teller.superseded(ids),
      onFailure: (error) => this.#fail(error),
    }
    this.#applier = new Applier({
      ...shared,
      gate: new Gate(connection, plansOf(options.projections ?? [], group.stream)),
      onApplied: (settled) => this.#teller.applied(settled),
    })
    this.#retries = new Retries({
      ...shared,
      onScheduled: (retry) => this.#teller.retried(retry),
      onDue: (entries) => this.#receive(entries, 'retried'),
      onLost: (ids, isSettled) => this.#lost(ids, isSettled),
    })
    this.#claimer = this.#newClaimer(shared, settings)
    this.#reader = this.#newReader(shared)
    const { handler } = options
    if (handler !== undefined) this.#pool = this.#newPool(handler, options, settings)
  }

  #newLease(connection: Connection, settings: Settings): Lease {
    return new Lease({
      connection,
      keys: groupKeys(this.#group.stream.key, this.#group.name),
      who: { group: this.#group.name, consumer: this.name },
      leaseMs: leaseMsOf(settings),
      signal: this.#stopping.signal,
      onLapsed: () => this.#claimer.holdOff(),
    })
  }

  #newClaimer(shared: Shared, { claimAfterMs, removeAfterMs }: Settings): Claimer {
    return new Claimer({
      ...shared,
      sweepEveryMs: Math.min(claimAfterMs / 4, 1000),
      removeAfterMs,
      onPaused: (paused) => this.#setPaused(paused),
      onRetryDue: (ms) => this.#retries.wakeIn(ms),
      onClaimed: (entries) => this.#receive(entries, 'claimed'),
      onStrays: (entries) => this.#receive(entries, 'pending'),
      onLost: (ids) => this.#lost(ids, true),
    })
  }

  #newReader(shared: Shared): DeliveryReader {
    return new DeliveryReader({
      ...shared,
      stream: shared.keys.stream,
      group: shared.who.group,
      consumer: this.name,
      // A drain looks often whether it is done; else a read waits long, so that an idle consumer costs nothing.
      blockMs: this.#isDraining ? 100 : 2000,
      onDelivered: (entries, how) => this.#receive(entries, how),
      onCaughtUp: () => this.#startClaiming(),
      onNothing: () => this.#foundNothing(),
    })
  }

  #newPool(
    handler: Handler<F>,
    { retry, orderBy }: ConsumerOptions<F>,
    { concurrency, attemptsMax }: Settings,
  ): HandlerPool<F> {
    return new HandlerPool({
      handler,
      concurrency,
      attemptsMax,
      retry,
      orderBy,
      signal: this.#stopping.signal,
      pause: this.#pause,
      onSettled: (settled) => this.#applier.push([settled]),
      onRetry: (failed) => this.#retries.schedule(failed),
      onFailure: (error) => this.#fail(error),
    })
  }

  /** What it has done since it was started. */
  get counts(): ConsumerCounts {
    return this.#teller.counts
  }

  /** First what is our own, then what others left. */
  #startClaiming(): void {
    this.#claiming ??= this.#claimer.run().catch((error: unknown) => this.#fail(error))
  }

  /**
   * Works until it is stopped, or drained. Starts with the entries that are pending for its name.
   * @throws {MillraceError} NAME_TAKEN, SUPERSEDED, NO_GROUP, WRONG_TYPE and other failures that do not pass; lost
   *   connections do.
   */
  async run(): Promise<void> {
    if (this.#run !== undefined) throw new TypeError(`Consumer "${this.name}" runs once`)
    this.#run = this.#work()
    await this.#run
  }

  /**
   * Stops reading, finishes what is in hand, gives back what was not begun. Safe to call twice or before the run; not
   * to be awaited in a handler, which it waits for.
   */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#run?.catch(() => undefined) // Whoever runs the consumer gets its failure.
  }

  async #work(): Promise<void> {
    if (!(await this.#takeLease())) return
    const fail = (error: unknown): void => this.#fail(error)
    // Renewed until the last entry is out of hand, so that nobody claims what we still work on.
    const renewals = new AbortController()
    const renewing = this.#lease.run(renewals.signal).catch(fail)
    try {
      await this.#lookWhetherPaused()
      await this.#reader.run().catch(fail)
      await this.#claiming
      await this.#finish()
    } finally {
      renewals.abort()
      await renewing
      await this.#lease.release()
    }
  }

  /** False when the consumer was stopped before it had its name. */
  async #takeLease(): Promise<boolean> {
    const { signal } = this.#stopping
    try {
      return !signal.aborted && (await this.#lease.take())
    } catch (error) {
      if (!(signal.aborted && isPassing(error))) throw error
      return false
    }
  }

  async #lookWhetherPaused(): Promise<void> {
    const { stream, name } = this.#group
    const keys = groupKeys(stream.key, name)
    const { signal } = this.#stopping
    const look = () => isPaused(this.#connection, keys, { consumer: this.name })
    this.#setPaused(await persist(signal, look).catch(() => false))
    // The sweeps tell when it is resumed.
    if (this.#pause.isPaused) this.#startClaiming()
  }

  #setPaused(isPaused: boolean): void {
    if (!this.#pause.set(isPaused)) return
    this.#teller.paused(isPaused)
    if (isPaused) this.#reader.interrupt()
    else {
      this.#pool?.resume()
      this.#retries.wakeIn(0)
    }
  }

  async #finish(): Promise<void> {
    await this.#pool?.stopped()
    await this.#retries.done()
    await this.#applier.done()
    if (this.#failure !== undefined) throw this.#failure.error
    await this.#claimer.giveBack(this.#inHand.ids()).catch((error: unknown) => {
      // They idle out instead.
      if (!isPassing(error)) throw error
    })
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#stopping.abort()
  }

  /** Every entry comes through here, from wherever it was delivered. */
  #receive(raw: readonly RawEntry[], how: Delivery): void {
    const isAgain = how !== 'new'
    const taken = { inHand: this.#inHand, decoder: this.#decoder, isAgain }
    const { entries, settled } = takeIn(raw, taken)
    this.#teller.delivered(entries, how)
    const pool = this.#pool
    if (pool === undefined) {
      for (const entry of entries) settled.push({ kind: 'apply', id: entry.id, entry, isAgain })
    } else if (isAgain && entries.length > 0) {
      void this.#handleAgain(pool, entries).catch((error: unknown) => {
        // A passing failure gets here only while stopping: the entries are given back.
        if (!isPassing(error)) this.#fail(error)
      })
    } else {
      for (const entry of entries) pool.push(entry)
    }
    this.#applier.push(settled)
  }

  /** Entries that were delivered before: attempts at them may have failed. */
  async #handleAgain(pool: HandlerPool<F>, entries: readonly Entry<F>[]): Promise<void> {
    const attempts = await this.#retries.attemptsOf(entries.map(({ id }) => id))
    entries.forEach((entry, at) => pool.push(entry, attempts[at] ?? 0, true))
  }

  /** The bodies of entries are gone; `isSettled`: their dead letters are written. */
  #lost(ids: readonly string[], isSettled: boolean): void {
    const letters = ids.map(lostLetter)
    if (isSettled) this.#teller.deadLettered(letters)
    else this.#applier.push(letters.map((letter) => ({ kind: 'dead-letter', ...letter })))
  }

  async #foundNothing(): Promise<boolean> {
    this.#teller.waiting()
    if (!this.#isDraining || this.#inHand.size > 0) return false
    const isDrained = await this.#group.isDrained()
    if (isDrained) this.#stopping.abort()
    return isDrained
  }
}
