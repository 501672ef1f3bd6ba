/** Metrics for Prometheus as prom-client's registry takes them. Recording costs a few comparisons: its own histogram hashes labels each time. */

export type Labels = Readonly<Record<string, string | number>>

/** Upper bounds of requests and calls to Redis, in seconds. */
export const callBoundsS: readonly number[] = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
]

/** Upper bounds of OpenTelemetry's durations of messaging, in seconds. */
export const messagingBoundsS: readonly number[] = [
  ...[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
]

/** A histogram: the durations under one set of labels. */
export class DurationSeries {
  readonly labels: Labels
  readonly #boundsS: readonly number[]
  readonly #counts: Float64Array
  #sum = 0

  /** @param boundsS ascending, in seconds; default {@link callBoundsS} */
  constructor(labels: Labels, boundsS: readonly number[] = callBoundsS) {
    this.labels = labels
    this.#boundsS = boundsS
    this.#counts = new Float64Array(boundsS.length + 1)
  }

  record(ms: number): void {
    const seconds = ms / 1000
    let at = 0
    while (at < this.#boundsS.length && seconds > (this.#boundsS[at] ?? 0)) at += 1
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sum += seconds
  }

  values(name: string): MetricValue[] {
    let count = 0
    const buckets = [...this.#boundsS, '+Inf'].map((le, at) => {
      count += this.#counts[at] ?? 0
      return { metricName: `${name}_bucket`, labels: { le, ...this.labels }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: this.labels, value: this.#sum },
      { metricName: `${name}_count`, labels: this.labels, value: count },
    ]
  }
}

export interface MetricValue {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

export type MetricType = 'histogram' | 'counter' | 'gauge'

/** What a metric is called and means. */
export interface MetricHead {
  readonly name: string
  readonly help: string
  readonly type: MetricType
}

export type MetricValues = () => readonly MetricValue[] | Promise<readonly MetricValue[]>

/** What a registry of prom-client asks of a metric. */
export interface RegistryMetric {
  readonly name: string
  get(): Promise<object>
}

/** A metric whose values are looked up when somebody asks. Of several processes, gauges give the largest, others the sum. */
export function computedMetric(head: MetricHead, values: MetricValues): RegistryMetric {
  const aggregator = head.type === 'gauge' ? 'max' : 'sum'
  return { name: head.name, get: async () => ({ ...head, aggregator, values: await values() }) }
}
