/** `millrace-ops/metrics`: what a process tells Prometheus of its consumers, and where. */
export {
  ConsumerMetrics,
  watchConnection,
  type ConsumerMetricsOptions,
  type MeasuringObserver,
  type Watched,
  type WatchedConnection,
} from './consumer-metrics.ts'
export type { Bounds } from './bounds.ts'
export { Exporter, type ExporterOptions } from './exporter.ts'
export { groupMetrics } from './group-metrics.ts'
export { Metrics } from './metrics.ts'
export { RecentLook } from './recent-look.ts'
export * from './series.ts'
export { serveMetrics, type MetricsServer, type Readiness, type ServeOptions } from './serve.ts'
export { TrimMetrics } from './trim-metrics.ts'
