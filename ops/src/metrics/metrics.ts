/** The metrics of a process, in the text format of Prometheus. */
import { collectDefaultMetrics, Registry, type Metric } from 'prom-client'
import { version } from '../version.ts'
import {
  computedMetric,
  type MetricHead,
  type MetricValues,
  type RegistryMetric,
} from './series.ts'

export class Metrics {
  readonly #registry = new Registry()
  #hasProcess = false

  /** Of the text. */
  static readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE

  /** With `millrace_build_info`. */
  constructor() {
    const help = 'Version of Millrace that this process runs; always 1'
    this.add({ name: 'millrace_build_info', type: 'gauge', help }, () => [
      { labels: { version }, value: 1 },
    ])
  }

  add(head: MetricHead, values: MetricValues): void {
    this.register(computedMetric(head, values))
  }

  register(metric: RegistryMetric): void {
    this.#registry.registerMetric(metric as unknown as Metric)
  }

  /** In the text format of Prometheus, version 0.0.4, with what Node tells of the process. */
  async text(): Promise<string> {
    this.#addProcess()
    return await this.#registry.metrics()
  }

  /** For adding up several processes, as prom-client does it. */
  async json(): Promise<object[]> {
    this.#addProcess()
    return await this.#registry.getMetricsAsJSON()
  }

  // Not before somebody asks: it watches the garbage collector.
  #addProcess(): void {
    if (this.#hasProcess) return
    this.#hasProcess = true
    collectDefaultMetrics({ register: this.#registry })
  }
}
