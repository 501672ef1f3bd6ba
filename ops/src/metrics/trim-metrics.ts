/** What a trimmer tells Prometheus. */
import type { TrimOutcome } from 'millrace'
import { watchConnection, type WatchedConnection } from './consumer-metrics.ts'
import { Metrics } from './metrics.ts'
import type { MetricValue } from './series.ts'
import type { Readiness } from './serve.ts'

type RunOutcome = 'trimmed' | 'unread' | 'failed'

export class TrimMetrics {
  readonly #metrics = new Metrics()
  readonly #runs: Record<RunOutcome, number> = { trimmed: 0, unread: 0, failed: 0 }
  readonly #connection: WatchedConnection
  readonly #labels: { readonly stream: string }
  #removed = 0
  #lastAt: number | undefined
  #last: RunOutcome | undefined

  /** @param stream its key */
  constructor(stream: string, connection: WatchedConnection) {
    this.#connection = connection
    this.#labels = { stream }
    watchConnection(this.#metrics, connection)
    this.#add(
      ['trim_runs_total', 'counter', 'Runs of the trimmer; unread: it found no group'],
      () =>
        Object.entries(this.#runs).map(([outcome, value]) => ({
          labels: { ...this.#labels, outcome },
          value,
        })),
    )
    this.#add(['trimmed_entries_total', 'counter', 'Entries that it removed'], () => [
      { labels: this.#labels, value: this.#removed },
    ])
    this.#add(['trim_last_run_timestamp_seconds', 'gauge', 'When a run succeeded last'], () =>
      this.#lastAt === undefined ? [] : [{ labels: this.#labels, value: this.#lastAt / 1000 }],
    )
  }

  ran(outcome: TrimOutcome): void {
    this.#last = outcome.kind === 'unread' ? 'unread' : 'trimmed'
    this.#runs[this.#last] += 1
    this.#lastAt = Date.now()
    if (outcome.kind === 'trimmed') this.#removed += outcome.removed
  }

  failed(): void {
    this.#last = 'failed'
    this.#runs.failed += 1
  }

  text(): Promise<string> {
    return this.#metrics.text()
  }

  readiness(): Readiness {
    if (!this.#connection.isConnected) {
      return { isReady: false, status: 'unavailable', reason: 'redis-unreachable' }
    }
    if (this.#last === undefined) return { isReady: false, status: 'starting' }
    return this.#last === 'failed'
      ? { isReady: false, status: 'unavailable', reason: 'last-run-failed' }
      : { isReady: true, status: 'ready' }
  }

  #add(
    [name, type, help]: readonly [string, 'counter' | 'gauge', string],
    values: () => MetricValue[],
  ): void {
    this.#metrics.add({ name: `millrace_${name}`, type, help }, values)
  }
}
