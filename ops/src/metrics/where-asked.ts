import type { Log } from '../command/log.ts'
import type { MetricsFlags } from '../command/metrics-flags.ts'
import type { ServeOptions } from './serve.ts'

/**
 * Serves metrics where the flags say, and says so in the log; nothing is loaded for it without a port.
 * @returns what ends it. @throws {CommandError} when host or port cannot be used.
 */
export async function serveWhereAsked(
  { metricsPort: port, metricsHost: host }: MetricsFlags,
  log: Pick<Log, 'info'>,
  told: Pick<ServeOptions, 'text' | 'readiness'>,
): Promise<() => Promise<void>> {
  if (port === undefined) return () => Promise.resolve()
  const { serveMetrics } = await import('./serve.ts')
  const server = await serveMetrics({ port, host, ...told })
  log.info(`Metrics are at ${server.url}.`)
  return () => server.close()
}
