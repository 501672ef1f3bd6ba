/** Counts what a consumer does, and tells its observer. */
import type { Delivery } from '../handle/past-deliveries.ts'
import type { ConsumerObserver } from './consumer-options.ts'
import {
  toldLetter,
  tracedLetter,
  type AppliedBatch,
  type CallTimes,
  type Settled,
  type SettledLetter,
} from '../apply/settled.ts'
import type { Fields } from '../declare/fields.ts'
import { ObserverCalls } from '../support/observer-calls.ts'
import type { FoldedBatch, FoldedCall } from './push-down.ts'
import type { Retry } from '../handle/retries.ts'
import type { Entry } from '../declare/stream.ts'
import type { ConsumerTracing } from '../trace/tracing.ts'

/** What a consumer has done since it was started. */
export interface ConsumerCounts {
  /** Entries acknowledged with their effects; of push-down the batches whose replies came. The ledger counts all. */
  applied: number
  deadLettered: number
  /** Entries taken over from other consumers. */
  claimed: number
  /** Failed attempts whose next one was scheduled. */
  retried: number
  /** Entries that the gate refused. */
  superseded: number
}

export class ConsumerEvents<F extends Fields> {
  readonly counts: ConsumerCounts = {
    applied: 0,
    deadLettered: 0,
    claimed: 0,
    retried: 0,
    superseded: 0,
  }
  readonly #calls: ObserverCalls<ConsumerObserver<F>>
  readonly #isTimed: boolean
  readonly #tracing: ConsumerTracing | undefined
  #hasStarted = false

  constructor(
    observer: ConsumerObserver<F> | undefined,
    consumer: string,
    tracing: ConsumerTracing | undefined,
  ) {
    this.#tracing = tracing
    this.#calls = new ObserverCalls(observer ?? {}, `consumer "${consumer}"`)
    this.#isTimed = observer?.tookEffect !== undefined
  }

  /** Told for the first time only: it is so on each new connection. */
  started(): void {
    if (!this.#hasStarted) void this.#calls.tell('started')
    this.#hasStarted = true
  }

  delivered(entries: readonly Entry<F>[], how: Delivery, from?: string): void {
    if (how === 'claimed') this.counts.claimed += entries.length
    if (entries.length > 0) void this.#calls.tell('delivered', entries, how, from)
  }

  async applied(settled: readonly Settled[], call: CallTimes): Promise<void> {
    const entries: Entry<F>[] = []
    const letters: SettledLetter[] = []
    for (const item of settled) {
      if (item.kind === 'apply') entries.push(item.entry as Entry<F>)
      else letters.push(item)
    }
    this.counts.applied += entries.length
    if (letters.length > 0) this.deadLettered(letters)
    if (entries.length === 0) return
    this.#tookEffect(() => {
      const ids = entries.map(({ id }) => id)
      return { applied: entries.length, ids, isFolded: false, ...call }
    })
    await this.#calls.tell('applied', entries)
  }

  folded(batch: FoldedBatch, { firstId, ...call }: FoldedCall): void {
    const { applied, lastId } = batch
    this.counts.applied += applied
    // Those of push-down are traced with what was looked at.
    if (batch.deadLetters.length > 0) this.#tellDead(batch.deadLetters)
    this.#tookEffect(() => ({ applied, ids: [firstId, lastId], isFolded: true, ...call }))
    void this.#calls.tell('folded', batch)
  }

  /** Costs nothing where nobody looks on. */
  #tookEffect(batch: () => AppliedBatch): void {
    if (this.#isTimed) void this.#calls.tell('tookEffect', batch())
  }

  handled(id: string, ms: number): void {
    void this.#calls.tell('handled', id, ms)
  }

  deadLettered(letters: readonly SettledLetter[]): void {
    this.#tracing?.deadLettered(letters.map(tracedLetter))
    this.#tellDead(letters)
  }

  #tellDead(letters: readonly SettledLetter[]): void {
    this.counts.deadLettered += letters.length
    void this.#calls.tell('deadLettered', letters.map(toldLetter))
  }

  superseded(ids: readonly string[]): void {
    this.counts.superseded += ids.length
    void this.#calls.tell('superseded', ids)
  }

  retried({ id, attempt, error }: Retry): void {
    this.counts.retried += 1
    void this.#calls.tell('retried', id, attempt, error)
  }

  waiting(): void {
    void this.#calls.tell('waiting')
  }

  paused(isPaused: boolean): void {
    void this.#calls.tell('paused', isPaused)
  }
}
