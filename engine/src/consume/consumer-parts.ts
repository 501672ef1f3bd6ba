/**
 * Makes the parts of a consumer and wires them: each method below makes one part, and shows all that it gets and whom it calls. When they
 * run and end is the consumer's business (`consumer.ts`, which draws them, too).
 */
import { Applier } from '../apply/applier.ts'
import { Claimer } from './claimer.ts'
import { DeliveryReader } from './delivery-reader.ts'
import type { Fields } from '../declare/fields.ts'
import { FoldTraces } from './fold-traces.ts'
import { Gate } from '../apply/gate.ts'
import { HandlerPool } from '../handle/handler-pool.ts'
import { InFlight } from '../apply/in-flight.ts'
import { Intake } from './intake.ts'
import { groupKeys, type GroupKeys } from '../redis/keys.ts'
import { Lease } from './lease.ts'
import { PastDeliveries } from '../handle/past-deliveries.ts'
import { PauseSwitch } from '../support/pause-switch.ts'
import { plansOf, type Plan } from '../declare/plan.ts'
import { PushDown } from './push-down.ts'
import { Retries } from '../handle/retries.ts'
import { Decoder } from '../declare/stream.ts'
import type { ConsumerTracing } from '../trace/tracing.ts'
import type { ConsumerCalls, Identity } from './consumer-calls.ts'
import { ConsumerEvents } from './consumer-events.ts'
import { checked, isPushedDown } from './consumer-options.ts'
import type { ConsumerOptions, Place, Settings } from './consumer-options.ts'

export class ConsumerParts<F extends Fields> {
  readonly keys: GroupKeys
  readonly plans: readonly Plan[]
  readonly events: ConsumerEvents<F>
  readonly inFlight: InFlight
  readonly pause: PauseSwitch = new PauseSwitch()
  readonly lease: Lease
  readonly applier: Applier
  readonly retries: Retries
  /** Undefined: no handler. */
  readonly pool: HandlerPool<F> | undefined
  readonly claimer: Claimer
  readonly reader: DeliveryReader
  readonly #place: Place<F>
  readonly #options: ConsumerOptions<F>
  readonly #settings: Settings
  readonly #calls: ConsumerCalls
  readonly #who: Identity & { readonly token: string }
  readonly #past: PastDeliveries
  readonly #intake: Intake<F>
  readonly #tracing: ConsumerTracing | undefined
  readonly #foldTraces: FoldTraces | undefined

  /** @throws {TypeError} or {RangeError} when an option is wrong. */
  constructor(place: Place<F>, name: string, options: ConsumerOptions<F>, calls: ConsumerCalls) {
    const { group } = place
    this.#place = place
    this.#options = options
    this.#settings = checked(options)
    this.#calls = calls
    const { inHandMax, readAhead } = this.#settings
    this.keys = groupKeys(group.stream.key, group.name)
    this.inFlight = new InFlight(inHandMax, readAhead)
    const who = { group: group.name, consumer: name }
    const traced = { stream: group.stream.key, group: group.name, name }
    this.#tracing = place.tracing?.consumer(traced)
    this.events = new ConsumerEvents(options.observer, name, this.#tracing)
    this.#foldTraces = this.#newFoldTraces()
    this.lease = this.#newLease(who)
    this.#who = { ...who, token: this.lease.token }
    this.plans = plansOf(options.projections ?? [], group.stream)
    this.applier = this.#newApplier()
    this.retries = this.#newRetries()
    this.#past = this.#newPast()
    this.pool = this.#newPool()
    this.#intake = this.#newIntake()
    this.claimer = this.#newClaimer()
    this.reader = this.#newReader()
  }

  #newLease(who: Identity): Lease {
    return new Lease({
      connection: this.#place.connection,
      keys: this.keys,
      who,
      leaseMs: this.#settings.leaseMs,
      signal: this.#calls.signal,
      onLapsed: () => this.claimer.holdOff(),
    })
  }

  #newApplier(): Applier {
    return new Applier({
      connection: this.#place.connection,
      gate: new Gate(this.#place.connection, this.plans),
      keys: this.keys,
      who: this.#who,
      inFlight: this.inFlight,
      batchMax: this.#settings.batch,
      signal: this.#calls.signal,
      renewLease: () => this.lease.renew(),
      tracing: this.#tracing,
      isHandled: this.#options.handler !== undefined,
      onApplied: (settled, call) => this.events.applied(settled, call),
      onSuperseded: (ids) => this.events.superseded(ids),
      onFailure: this.#calls.onFailure,
    })
  }

  #newRetries(): Retries {
    return new Retries({
      connection: this.#place.connection,
      keys: this.keys,
      who: this.#who,
      inFlight: this.inFlight,
      signal: this.#calls.signal,
      pause: this.pause,
      renewLease: () => this.lease.renew(),
      onScheduled: (retry) => this.events.retried(retry),
      onDue: (entries) => this.#intake.receive(entries, 'retried'),
      onSuperseded: (ids) => this.events.superseded(ids),
      onLost: (ids, isSettled) => this.#intake.lost(ids, isSettled),
      onFailure: this.#calls.onFailure,
    })
  }

  #newPast(): PastDeliveries {
    return new PastDeliveries({
      connection: this.#place.connection,
      keys: this.keys,
      who: this.#who,
      inFlight: this.inFlight,
      signal: this.#calls.signal,
    })
  }

  #newPool(): HandlerPool<F> | undefined {
    const { handler, retry, orderBy } = this.#options
    if (handler === undefined) return undefined
    const { concurrency, timeoutMs, attemptsMax, deathsMax, readAhead } = this.#settings
    return new HandlerPool({
      handler,
      retry,
      orderBy,
      concurrency,
      timeoutMs,
      attemptsMax,
      deathsMax,
      readAhead,
      signal: this.#calls.signal,
      pause: this.pause,
      past: this.#past,
      tracing: this.#tracing,
      untilSettled: () => this.settled(),
      onHandled: (id, ms) => this.events.handled(id, ms),
      onSettled: (settled) => this.applier.push([settled]),
      onRetry: (failed) => this.retries.schedule(failed),
      onFailure: this.#calls.onFailure,
    })
  }

  #newIntake(): Intake<F> {
    return new Intake({
      decoder: new Decoder(this.#place.group.stream),
      inFlight: this.inFlight,
      events: this.events,
      past: this.#past,
      pool: this.pool,
      applier: this.applier,
      onFailure: this.#calls.onFailure,
    })
  }

  #newClaimer(): Claimer {
    const { claimAfterMs, leaseMs, removeAfterMs } = this.#settings
    return new Claimer({
      connection: this.#place.connection,
      keys: this.keys,
      who: this.#who,
      inFlight: this.inFlight,
      pause: this.pause,
      leaseMs,
      // A turn of 0.8 and a pause of 1.1 of it are within the quarter that follows a lease.
      sweepEveryMs: Math.min(claimAfterMs / 8, 1250),
      removeAfterMs,
      signal: this.#calls.signal,
      onClaimed: (entries, from) => this.#intake.receive(entries, 'claimed', from),
      onPaused: this.#calls.onPaused,
      onRetryDue: (ms) => this.retries.wakeIn(ms),
      onStrays: (entries) => this.#intake.receive(entries, 'pending'),
      onLost: (ids) => this.#intake.lost(ids, true),
    })
  }

  #newReader(): DeliveryReader {
    const pushDown = this.#newPushDown()
    return new DeliveryReader({
      connection: this.#place.connection,
      stream: this.keys.stream,
      group: this.#who.group,
      keys: this.keys,
      consumer: this.#who.consumer,
      inFlight: this.inFlight,
      pause: this.pause,
      batchMax: this.#settings.batch,
      blockMs: this.#settings.blockMs,
      signal: this.#calls.signal,
      onDelivered: (entries, how) => this.#intake.receive(entries, how),
      takeNew: pushDown && ((reading) => pushDown.takeNew(reading)),
      onCaughtUp: this.#calls.onCaughtUp,
      onNothing: this.#calls.onNothing,
    })
  }

  /** Undefined: nothing is traced. */
  #newFoldTraces(): FoldTraces | undefined {
    if (this.#tracing === undefined) return undefined
    const { connection, group } = this.#place
    return new FoldTraces({ connection, stream: group.stream.key, tracing: this.#tracing })
  }

  /** Undefined when new entries are pulled. */
  #newPushDown(): PushDown | undefined {
    const { stream } = this.#place.group
    if (!isPushedDown(this.#options, stream, this.plans)) return undefined
    const { batchMax, budgetMs, blockMs } = this.#settings.pushDown
    return new PushDown({
      stream,
      plans: this.plans,
      keys: this.keys,
      who: this.#who,
      batchMax,
      budgetMs,
      blockMs,
      signal: this.#calls.signal,
      pause: this.pause,
      renewLease: () => this.lease.renew(),
      traces: this.#foldTraces,
      onFolded: (batch, call) => this.events.folded(batch, call),
    })
  }

  /** Resolves when the server has all that was settled or is to be tried again. */
  async settled(): Promise<void> {
    await this.retries.done()
    await this.applier.done()
    await this.#foldTraces?.done()
  }
}
