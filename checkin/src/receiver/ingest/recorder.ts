/**
 * Check-ins on their way into the stream. Promise: each call settles within bounded time; when it has returned, the store has
 * confirmed what it returns, and that is counted.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { AppendOutcome, ExtraFields, Millrace } from 'millrace'
import type { Checkin, CheckinModel } from '../../domain/checkins.ts'
import { traceFields } from '../traces/trace-fields.ts'
import type { BoundedCalls } from '../limits/bounded-calls.ts'
import type { ReceiverMetrics } from '../metrics/metrics.ts'
import type { RefusalLog } from '../operation/refusal-log.ts'
import { countOutcomes, type CheckinItem } from './batch-item.ts'
import type { IdempotencyLimits } from './idempotency-key.ts'

export interface RecorderOptions {
  readonly millrace: Pick<Millrace, 'append' | 'appendBatch'>
  readonly calls: Pick<BoundedCalls, 'run'>
  readonly model: Pick<CheckinModel, 'checkins'>
  readonly refusals: Pick<RefusalLog, 'served'>
  readonly metrics: Pick<ReceiverMetrics, 'ingested' | 'ingestedItems'>
  /** Replicas that must have a check-in before it is confirmed. */
  readonly replicas: number
  readonly idempotency: IdempotencyLimits
  /** The engine traces what it appends; a check-in then does not carry the context of its request, but of its append. */
  readonly isTraced: boolean
}

/** The request that brings many check-ins, and its answer, by which they are counted. */
export interface Batch {
  readonly headers: IncomingHttpHeaders
  readonly reply: object
  /** True: all or none; default false. */
  readonly isAtomic?: boolean
}

export class Recorder {
  readonly #options: RecorderOptions

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /** Records a check-in that has no key. @returns the id of its entry. @throws as the engine's `append`. */
  async record(checkin: Checkin, headers: IncomingHttpHeaders): Promise<string> {
    const { millrace, calls, model, refusals, metrics, replicas } = this.#options
    const options = { extra: this.#extra(headers), replicas }
    const id = await calls.run(() => millrace.append(model.checkins, checkin, options))
    refusals.served()
    metrics.ingested('accepted')
    return id
  }

  /** Records a check-in once, however many receivers are asked for it with its key. @throws as the engine's `appendBatch`. */
  async recordOnce(
    item: CheckinItem,
    headers: IncomingHttpHeaders,
  ): Promise<AppendOutcome | undefined> {
    const { refusals, metrics } = this.#options
    const [outcome] = await this.#append([item], headers)
    if (outcome !== undefined && 'id' in outcome) {
      refusals.served()
      metrics.ingested(outcome.kind === 'replayed' ? 'replayed' : 'accepted')
    }
    return outcome
  }

  /** Records many in one call. @returns what became of each. @throws as the engine's `appendBatch`. */
  async recordAll(
    items: readonly CheckinItem[],
    { headers, reply, isAtomic = false }: Batch,
  ): Promise<readonly AppendOutcome[]> {
    const { refusals, metrics } = this.#options
    const outcomes = await this.#append(items, headers, isAtomic)
    refusals.served()
    countOutcomes(metrics, reply, outcomes)
    return outcomes
  }

  #extra(headers: IncomingHttpHeaders): ExtraFields | undefined {
    return this.#options.isTraced ? undefined : traceFields(headers)
  }

  #append(
    items: readonly CheckinItem[],
    headers: IncomingHttpHeaders,
    isAtomic = false,
  ): Promise<readonly AppendOutcome[]> {
    const { millrace, calls, model, replicas, idempotency } = this.#options
    const options = { ...idempotency, replicas, isAtomic, extra: this.#extra(headers) }
    return calls.run(() => millrace.appendBatch(model.checkins, items, options))
  }
}
