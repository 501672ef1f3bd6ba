import type { Log } from '../command/log.ts'
import type { MetricsFlags } from '../command/metrics-flags.ts'
import type { Readiness } from './serve.ts'

/** What is served. */
interface Told {
  text(): Promise<string>
  readiness(): Readiness | Promise<Readiness>
}

/**
 * Serves metrics where the flags say, and says so in the log; nothing is loaded for it without a port.
 * @returns what ends it. @throws {CommandError} when host or port cannot be used.
 */
export async function serveWhereAsked(
  { metricsPort: port, metricsHost: host }: MetricsFlags,
  log: Pick<Log, 'info'>,
  told: Told,
): Promise<() => Promise<void>> {
  if (port === undefined) return () => Promise.resolve()
  const { serveMetrics } = await import('./serve.ts')
  // It may be an object of a class, whose methods a copy lacks.
  const [text, readiness] = [() => told.text(), () => told.readiness()]
  const server = await serveMetrics({ port, host, text, readiness })
  log.info(`Metrics are at ${server.url}.`)
  return () => server.close()
}
