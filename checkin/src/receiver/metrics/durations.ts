/** A histogram of durations for Prometheus. Recording costs a few comparisons: prom-client's own hashes its labels each time. */

const boundsS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

type Labels = Readonly<Record<string, string | number>>

/** The durations under one set of labels. */
export class DurationSeries {
  readonly labels: Labels
  readonly #counts = new Float64Array(boundsS.length + 1)
  #sum = 0

  constructor(labels: Labels) {
    this.labels = labels
  }

  record(ms: number): void {
    const seconds = ms / 1000
    let at = 0
    while (at < boundsS.length && seconds > (boundsS[at] ?? 0)) at += 1
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sum += seconds
  }

  values(name: string): MetricValue[] {
    let count = 0
    const buckets = [...boundsS, '+Inf'].map((le, at) => {
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

/** What a registry of prom-client asks of a metric. */
export interface RegistryMetric {
  readonly name: string
  get(): Promise<object>
}

/** A metric whose values are looked up when somebody asks. Of several processes, gauges give the largest, others the sum. */
export function computedMetric(
  { name, help, type }: { name: string; help: string; type: 'histogram' | 'counter' | 'gauge' },
  values: () => readonly MetricValue[] | Promise<readonly MetricValue[]>,
): RegistryMetric {
  const aggregator = type === 'gauge' ? 'max' : 'sum'
  return { name, get: async () => ({ name, help, type, aggregator, values: await values() }) }
}
