/**
 * START HERE: one consumer of a group. It reads what the group delivers, lets the handler decide if there is one, and
 * applies and acknowledges in one script. Promise: whatever crashes, an entry takes effect once or stays pending.
 *
 *   delivery-reader --+                      +-- handler-pool --+
 *                     +-- receive (decode) --+                  +-- applier -- gate (effects.ts, lua/)
 *   claimer ----------+                      +------------------+
 */
import { Applier } from './applier.ts'
import { Claimer } from './claimer.ts'
import { DeliveryReader, type RawEntry } from './delivery-reader.ts'
import { Gate, type Settled } from './effects.ts'
import { isPassing } from './errors.ts'
import type { Fields } from './fields.ts'
import type { Group } from './group.ts'
import { HandlerPool, type Handler } from './handler-pool.ts'
import { InHand } from './in-hand.ts'
import { groupKeys } from './keys.ts'
import { Lease } from './lease.ts'
import { plansOf } from './plan.ts'
import { PushDown, type FoldedBatch, type PushDownParts } from './push-down.ts'
import type { Connection } from './redis/connection.ts'
import { Decoder, isDecodeFailure, type Entry } from './stream.ts'
import {
  checked,
  isPushedDown,
  type ConsumerObserver,
  type ConsumerOptions,
  type Settings,
} from './consumer-options.ts'

/** What a consumer has done since it was started. */
export interface ConsumerCounts {
  /** Entries acknowledged with their effects. Push-down: of the batches whose replies came; the hashes hold all. */
  applied: number
  deadLettered: number
  /** Entries taken over from other consumers. */
  claimed: number
  retried: number
  /** Entries that the gate refused. */
  superseded: number
}

export class Consumer<F extends Fields = Fields> {
  readonly name: string
  readonly counts: ConsumerCounts = {
    applied: 0,
    deadLettered: 0,
    claimed: 0,
    retried: 0,
    superseded: 0,
  }
  readonly #group: Group<F>
  readonly #isDraining: boolean
  readonly #observer: ConsumerObserver<F>
  readonly #decoder: Decoder<F>
  readonly #inHand: InHand
  readonly #stopping = new AbortController()
  readonly #reader: DeliveryReader
  readonly #claimer: Claimer
  readonly #lease: Lease
  readonly #applier: Applier
  readonly #pool: HandlerPool<F> | undefined
  #failure: { readonly error: unknown } | undefined
  #claiming: Promise<void> | undefined
  #run: Promise<void> | undefined

  /** Use {@link Group.consumer}. */
  constructor(connection: Connection, group: Group<F>, name: string, options: ConsumerOptions<F>) {
    const settings = checked(options)
    this.name = name
    this.#group = group
    this.#isDraining = options.drain ?? false
    this.#observer = options.observer ?? {}
    this.#decoder = new Decoder(group.stream)
    this.#inHand = new InHand(settings.inHandMax)
    const stream = group.stream.key
    const { signal } = this.#stopping
    const leased = {
      connection,
      keys: groupKeys(stream, group.name),
      who: { group: group.name, consumer: name },
      // Three quarters for the lease, one for the sweep that follows its end.
      leaseMs: settings.claimAfterMs * 0.75,
      signal,
    }
    this.#lease = new Lease({ ...leased, onLapsed: () => this.#claimer.holdOff() })
    const shared = {
      ...leased,
      who: { ...leased.who, token: this.#lease.token },
      inHand: this.#inHand,
      batchMax: settings.batch,
    }
    const plans = plansOf(options.projections ?? [], group.stream)
    this.#applier = new Applier({
      ...shared,
      gate: new Gate(connection, plans),
      renewLease: () => this.#lease.renew(),
      onApplied: (settled) => this.#applied(settled),
      onSuperseded: (ids) => this.#superseded(ids),
      onFailure: (error) => this.#fail(error),
    })
    this.#claimer = new Claimer({
      ...shared,
      sweepEveryMs: Math.min(settings.claimAfterMs / 4, 1000),
      removeAfterMs: settings.removeAfterMs,
      onClaimed: (entries) => this.#receive(entries, 'claimed'),
      onStrays: (entries) => this.#receive(entries, 'pending'),
      onLost: (ids) => this.#deadLettered(ids.map(lostLetter)),
    })
    // A drain looks often whether it is done; else a read waits long, so that an idle consumer costs nothing.
    const blockMs = this.#isDraining ? 100 : 5000
    const { pushDownBatch: batchMax, budgetMs } = settings
    const pushDown = isPushedDown(options, group.stream, plans)
      ? this.#newPushDown({ ...shared, stream: group.stream, plans, blockMs, batchMax, budgetMs })
      : undefined
    this.#reader = new DeliveryReader({
      ...shared,
      stream,
      group: group.name,
      consumer: name,
      blockMs,
      takeNew: pushDown && ((reading) => pushDown.takeNew(reading)),
      onDelivered: (entries, how) => this.#receive(entries, how),
      onCaughtUp: () => this.#startClaiming(),
      onNothing: () => this.#foundNothing(),
    })
    const { handler } = options
    if (handler !== undefined) this.#pool = this.#newPool(handler, settings)
  }

  #newPushDown(parts: Omit<PushDownParts, 'renewLease' | 'onFolded'>): PushDown {
    return new PushDown({
      ...parts,
      renewLease: () => this.#lease.renew(),
      onFolded: (batch) => this.#folded(batch),
    })
  }

  #newPool(handler: Handler<F>, { concurrency, attemptsMax }: Settings): HandlerPool<F> {
    return new HandlerPool({
      handler,
      concurrency,
      attemptsMax,
      signal: this.#stopping.signal,
      onSettled: (settled) => this.#applier.push([settled]),
      onRetry: (id, attempt, error) => this.#retried(id, attempt, error),
      onFailure: (error) => this.#fail(error),
    })
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

  async #finish(): Promise<void> {
    await this.#pool?.stopped()
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
  #receive(raw: readonly RawEntry[], how: 'new' | 'pending' | 'claimed'): void {
    const entries: Entry<F>[] = []
    const settled: Settled[] = []
    for (const { id, flat } of raw) {
      // History and claims show entries in hand again.
      if (!this.#inHand.take(id)) continue
      if (flat === null) {
        settled.push({ kind: 'dead-letter', ...lostLetter(id) })
        continue
      }
      const decoded = this.#decoder.decode(id, flat)
      if (isDecodeFailure(decoded)) {
        settled.push({ kind: 'dead-letter', id, reason: 'undecodable', error: decoded.problem })
      } else {
        entries.push(decoded)
      }
    }
    if (how === 'claimed') this.counts.claimed += entries.length
    if (entries.length > 0) this.#observer.delivered?.(entries, how)
    for (const entry of entries) {
      if (this.#pool !== undefined) this.#pool.push(entry)
      else settled.push({ kind: 'apply', id: entry.id, entry })
    }
    this.#applier.push(settled)
  }

  async #foundNothing(): Promise<boolean> {
    this.#observer.waiting?.()
    if (!this.#isDraining || this.#inHand.size > 0) return false
    const isDrained = await this.#group.isDrained()
    if (isDrained) this.#stopping.abort()
    return isDrained
  }

  #folded(batch: FoldedBatch): void {
    this.counts.applied += batch.applied
    if (batch.deadLetters.length > 0) this.#deadLettered(batch.deadLetters)
    this.#observer.folded?.(batch)
  }

  async #applied(settled: readonly Settled[]): Promise<void> {
    const entries: Entry<F>[] = []
    const letters: DeadLetter[] = []
    for (const item of settled) {
      if (item.kind === 'apply') entries.push(item.entry as Entry<F>)
      else letters.push(item)
    }
    this.counts.applied += entries.length
    if (letters.length > 0) this.#deadLettered(letters)
    if (entries.length > 0) await this.#observer.applied?.(entries)
  }

  #deadLettered(letters: readonly DeadLetter[]): void {
    this.counts.deadLettered += letters.length
    this.#observer.deadLettered?.(letters)
  }

  #superseded(ids: readonly string[]): void {
    this.counts.superseded += ids.length
    this.#observer.superseded?.(ids)
  }

  #retried(id: string, attempt: number, error: string): void {
    this.counts.retried += 1
    this.#observer.retried?.(id, attempt, error)
  }
}

type DeadLetter = Omit<Extract<Settled, { kind: 'dead-letter' }>, 'kind'>

function lostLetter(id: string): DeadLetter {
  return { id, reason: 'lost', error: 'the entry was trimmed or deleted before it was processed' }
}
