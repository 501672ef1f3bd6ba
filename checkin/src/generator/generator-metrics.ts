/** What the generator tells Prometheus. */
import { DurationSeries, Metrics, type Readiness } from 'millrace-ops/metrics'
import type { Posted } from './checkin-poster.ts'

export class GeneratorMetrics {
  readonly #metrics = new Metrics()
  readonly #posted: Record<Posted['kind'], number> = { taken: 0, away: 0, refused: 0 }
  readonly #answered = new DurationSeries({})
  readonly #isTaken: () => boolean

  /** @param isTaken whether the receiver takes check-ins */
  constructor(isTaken: () => boolean) {
    this.#isTaken = isTaken
    const name = 'checkin_generator_posts_total'
    const help = 'Posted check-ins: taken, not now (away), or not at this address (refused)'
    this.#metrics.add({ name, type: 'counter', help }, () =>
      Object.entries(this.#posted).map(([outcome, value]) => ({ labels: { outcome }, value })),
    )
    const times = 'checkin_generator_post_duration_seconds'
    const timesHelp = 'Time from post to answer'
    this.#metrics.add({ name: times, type: 'histogram', help: timesHelp }, () =>
      this.#answered.values(times),
    )
    const up = 'checkin_generator_receiver_up'
    const upHelp = '1 while the receiver takes check-ins'
    this.#metrics.add({ name: up, type: 'gauge', help: upHelp }, () => [
      { labels: {}, value: Number(isTaken()) },
    ])
  }

  posted({ kind }: Posted, ms: number): void {
    this.#posted[kind] += 1
    this.#answered.record(ms)
  }

  text(): Promise<string> {
    return this.#metrics.text()
  }

  readiness(): Readiness {
    const isReady = this.#isTaken()
    return isReady
      ? { isReady, status: 'ready' }
      : { isReady, status: 'unavailable', reason: 'receiver' }
  }
}
