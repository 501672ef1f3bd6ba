/** The ports of the service: free before anything is started, and one for the metrics of each part. */
import { isFree } from '../embedded/choose-port.ts'
import { CommandError, type MetricsFlags, UsageError } from 'millrace-ops/command'
import { typed } from '../terminal/typed.ts'
import type { Wiring } from '../wiring.ts'

export const consumers = ['consumer1', 'consumer2']
/** Those that serve metrics, in the order of their ports. */
export const measured = ['receiver', ...consumers, 'generator']

/** @throws {CommandError} when it is in use. */
export async function checkReceiverPort({
  receiverHost: host,
  receiverPort: port,
}: Pick<Wiring['config'], 'receiverHost' | 'receiverPort'>): Promise<void> {
  // Why a host cannot be used, the receiver says itself.
  if (port === 0 || (await isFree(port, host).catch(() => true))) return
  throw new CommandError(
    `Cannot start the receiver: port ${port} of ${host} is in use, perhaps by another "${typed('start')}". ` +
      'Stop that program, or set CHECKIN_RECEIVER_PORT to another port',
  )
}

/** @throws {UsageError} when there are too few behind the first; {CommandError} when one is in use. */
export async function checkMetricsPorts({
  metricsPort: first,
  metricsHost: host,
}: MetricsFlags): Promise<void> {
  if (first === undefined) return
  const last = first + measured.length - 1
  if (first === 0 || last > 65_535) {
    throw new UsageError(
      `Cannot use ${first} as --metrics-port: allowed is a port from 1 to ${65_536 - measured.length}, as ${measured.length} in a row are used`,
    )
  }
  for (let port = first; port <= last; port += 1) {
    // Why a host cannot be used, the parts say themselves.
    if (await isFree(port, host).catch(() => true)) continue
    throw new CommandError(
      `Cannot serve metrics on ${host}, ports ${first} to ${last}: port ${port} is in use. ` +
        'Choose another first port with --metrics-port or MILLRACE_METRICS_PORT',
    )
  }
}

/** For the environment of a part: each has a port of its own, counted from the one that was asked for. */
export function metricsPort(
  name: string,
  { metricsPort: first, metricsHost }: MetricsFlags,
): Readonly<Record<string, string>> {
  const at = measured.indexOf(name)
  if (first === undefined || at < 0) return {}
  return { MILLRACE_METRICS_PORT: String(first + at), MILLRACE_METRICS_HOST: metricsHost }
}
