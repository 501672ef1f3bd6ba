/** What a processor tells Prometheus. Nothing is loaded or counted for it unless somebody asked for a port. */
import type { Millrace } from 'millrace'
import { serveWhereAsked, type MetricsFlags } from 'millrace-ops/command'
import type { ConsumerMetrics, Readiness, Watched } from 'millrace-ops/metrics'
import type { Log } from '../log.ts'

export interface MeasuredOptions {
  readonly millrace: Millrace
  readonly log: Log
  /** Key of the stream. */
  readonly stream: string
  /** The group; of the single processor its name. */
  readonly group: string
}

/** A processor that is measured. */
export interface Measured {
  readonly metrics: Pick<ConsumerMetrics, 'observer' | 'watch'>
  close(): Promise<void>
}

/** @returns undefined without a port. @throws {CommandError} when host or port cannot be used. */
export async function measured(
  flags: MetricsFlags,
  { millrace, log, stream, group }: MeasuredOptions,
): Promise<Measured | undefined> {
  if (flags.metricsPort === undefined) return undefined
  const { ConsumerMetrics } = await import('millrace-ops/metrics')
  const metrics = new ConsumerMetrics({ stream, group })
  metrics.watchConnection(millrace)
  let watched: Watched | undefined
  const close = await serveWhereAsked(flags, log, {
    text: () => metrics.text(),
    readiness: () => readiness(millrace, watched),
  })
  const watch = (consumer: Watched): void => {
    watched = consumer
    metrics.watch(consumer)
  }
  return { metrics: { observer: metrics.observer, watch }, close }
}

/** A processor gets its work from Redis: it is ready while it can get it. A pause is somebody's wish, and no fault. */
function readiness(millrace: Millrace, watched: Watched | undefined): Readiness {
  if (!millrace.isConnected) {
    return { isReady: false, status: 'unavailable', reason: 'redis-unreachable' }
  }
  if (millrace.refusal !== undefined) {
    return { isReady: false, status: 'unavailable', reason: 'redis-not-writable' }
  }
  // A single processor has no lease.
  const { leaseLeftMs = 1, isPaused = false } = watched ?? { leaseLeftMs: 0 }
  if (leaseLeftMs === 0) return { isReady: false, status: 'starting', reason: 'no-lease' }
  return { isReady: true, status: isPaused ? 'paused' : 'ready' }
}
