/** What a process that works on a stream counts for Prometheus, whatever its entries are. Promise: counting costs a batch a few microseconds. */
import type { AppliedBatch, ConsumerCounts, Millrace } from 'millrace'
import { ageOf } from 'millrace/operate'
import { Metrics } from './metrics.ts'
import { DurationSeries, messagingBoundsS, type Labels, type MetricValue } from './series.ts'

export interface ConsumerMetricsOptions {
  /** Key of the stream. */
  readonly stream: string
  /** The group; of a single reader its name. */
  readonly group: string
  /** Where they are added; default: metrics of their own. */
  readonly metrics?: Metrics
}

/** A consumer or a reader, as far as it can tell how it is. */
export interface Watched {
  readonly counts: Readonly<Partial<ConsumerCounts>>
  readonly leaseLeftMs?: number
  readonly isPaused?: boolean
}

/** What of an observer measures. It does not end push-down. */
export interface MeasuringObserver {
  readonly tookEffect: (batch: AppliedBatch) => void
  readonly handled: (id: string, ms: number) => void
}

/** The connection, as far as it can tell how it is. */
export type WatchedConnection = Pick<Millrace, 'isConnected' | 'refusal' | 'reconnects'>

const outcomes = {
  applied: 'applied',
  dead_lettered: 'deadLettered',
  retried: 'retried',
  superseded: 'superseded',
} as const

/**
 * Metrics of consumers and readers: their `observer` is given to `group.consumer` (beside functions of one's own:
 * `{ ...observer, ...metrics.observer }`), and what that returns to `watch`.
 */
export class ConsumerMetrics {
  readonly metrics: Metrics
  readonly #labels: Labels
  readonly #watched: Watched[] = []
  readonly #handling: DurationSeries
  readonly #applying: DurationSeries
  readonly #waiting: DurationSeries

  constructor({ stream, group, metrics = new Metrics() }: ConsumerMetricsOptions) {
    const labels = { stream, group }
    this.metrics = metrics
    this.#labels = labels
    this.#handling = new DurationSeries({ ...labels, step: 'handle' }, messagingBoundsS)
    this.#applying = new DurationSeries({ ...labels, step: 'apply' }, messagingBoundsS)
    this.#waiting = new DurationSeries(labels, messagingBoundsS)
    this.#addCounts()
    this.#addDurations()
    this.#addStates()
  }

  readonly observer: MeasuringObserver = {
    tookEffect: ({ ids, atMs, callMs }) => {
      this.#applying.record(callMs)
      if (atMs === null) return
      for (const id of ids) {
        const ms = ageOf(id, atMs)
        if (ms !== null) this.#waiting.record(ms)
      }
    },
    handled: (_id, ms) => this.#handling.record(ms),
  }

  /** Adds what a consumer or a reader counts; those of several are added up. */
  watch(consumer: Watched): void {
    this.#watched.push(consumer)
  }

  /** Adds how the connection is. */
  watchConnection(connection: WatchedConnection): void {
    watchConnection(this.metrics, connection)
  }

  /** In the text format of Prometheus. */
  async text(): Promise<string> {
    return await this.metrics.text()
  }

  #addCounts(): void {
    this.#add(
      ['processed_total', 'counter', 'Entries by what became of them in this process'],
      () =>
        Object.entries(outcomes).map(([outcome, name]) => ({
          labels: { ...this.#labels, outcome },
          value: this.#sum(({ counts }) => counts[name] ?? 0),
        })),
    )
    this.#add(['claimed_total', 'counter', 'Entries taken over from other consumers'], () =>
      this.#one(this.#sum(({ counts }) => counts.claimed ?? 0)),
    )
  }

  #addDurations(): void {
    const calls =
      'Time of a call of the handler (handle), or of the server to apply a batch (apply)'
    this.#add(['process_duration_seconds', 'histogram', calls], () => [
      ...this.#handling.values('millrace_process_duration_seconds'),
      ...this.#applying.values('millrace_process_duration_seconds'),
    ])
    const whole =
      'Time from append to effect, by the id and the clock of the server; of entries folded in the server those at the ends of a batch'
    this.#add(['append_to_applied_seconds', 'histogram', whole], () =>
      this.#waiting.values('millrace_append_to_applied_seconds'),
    )
  }

  #addStates(): void {
    this.#add(['paused', 'gauge', '1 while a consumer of this process is paused'], () =>
      this.#one(Number(this.#watched.some(({ isPaused }) => isPaused === true))),
    )
    this.#add(
      ['lease_left_seconds', 'gauge', 'Until the lease ends unless it is renewed; 0 without one'],
      () => {
        const leases = this.#watched.flatMap(({ leaseLeftMs }) => leaseLeftMs ?? [])
        return leases.length === 0 ? [] : this.#one(Math.min(...leases) / 1000)
      },
    )
  }

  #add(
    [name, type, help]: readonly [string, 'counter' | 'gauge' | 'histogram', string],
    values: () => MetricValue[],
  ): void {
    this.metrics.add({ name: `millrace_${name}`, type, help }, values)
  }

  #one(value: number): MetricValue[] {
    return [{ labels: this.#labels, value }]
  }

  #sum(read: (watched: Watched) => number): number {
    return this.#watched.reduce((sum, watched) => sum + read(watched), 0)
  }
}

/**
 * Adds how a connection is.
 * @param isRefusing whether the server answers and takes no writes; default: whether it refuses all work
 */
export function watchConnection(
  metrics: Metrics,
  connection: WatchedConnection,
  isRefusing: () => boolean | Promise<boolean> = () => connection.refusal !== undefined,
): void {
  const one = (value: number | boolean): MetricValue[] => [{ labels: {}, value: Number(value) }]
  const up = redisUpHelp
  metrics.add({ name: 'millrace_redis_up', type: 'gauge', help: up }, () =>
    one(connection.isConnected),
  )
  const reconnects = 'Connections to Redis after the first one'
  metrics.add({ name: 'millrace_redis_reconnects_total', type: 'counter', help: reconnects }, () =>
    one(connection.reconnects),
  )
  const refused = writesRefusedHelp
  metrics.add({ name: 'millrace_writes_refused', type: 'gauge', help: refused }, async () =>
    one(await isRefusing()),
  )
}

/** Of what several tell. */
export const redisUpHelp = '1 while Redis answers'
export const writesRefusedHelp =
  '1 while Redis answers and takes no writes: it is a replica, full, cannot save, or lacks replicas'
