/** Where a process serves its metrics. By default nowhere: several processes of a machine would want one port. */
import { Option, type Command } from 'commander'
import { port, portNumber } from './arguments.ts'
import { UsageError } from './errors.ts'

export interface MetricsFlags {
  /** Undefined: nowhere. 0: any free port. */
  readonly metricsPort?: number
  readonly metricsHost: string
}

/**
 * Adds `--metrics-port` and `--metrics-host`, by default what `MILLRACE_METRICS_PORT` and `MILLRACE_METRICS_HOST` say.
 * @throws {UsageError} when the variable holds no port.
 */
export function addMetricsFlags(
  command: Command,
  about = 'serve /metrics, /livez and /readyz on this port; 0 takes any free one',
  env: NodeJS.ProcessEnv = process.env,
): Command {
  const byEnvironment = portOf(env)
  const portOption = new Option('--metrics-port <port>', about).argParser(portNumber)
  if (byEnvironment === undefined) portOption.default(undefined, 'none: not at all')
  else portOption.default(byEnvironment)
  const host = env.MILLRACE_METRICS_HOST ?? ''
  const hostOption = new Option('--metrics-host <host>', 'address to serve them on')
  return command
    .addOption(portOption)
    .addOption(hostOption.default(host === '' ? '127.0.0.1' : host))
}

function portOf({ MILLRACE_METRICS_PORT: text = '' }: NodeJS.ProcessEnv): number | undefined {
  if (text === '') return undefined
  try {
    return port(text)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(
      `Cannot use "${text}" as MILLRACE_METRICS_PORT: allowed is ${error.message}`,
    )
  }
}
