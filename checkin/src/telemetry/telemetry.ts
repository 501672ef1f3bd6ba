/** Traces of this process, sent by OTLP. Nothing of OpenTelemetry is loaded before they are asked for. */
import type { ConnectOptions } from 'millrace'
import { CommandError } from 'millrace-ops/command'
import type { Log } from '../log.ts'
import type { RequestSpans } from '../receiver/traces/request-spans.ts'

export interface TelemetryOptions {
  /** Where OTLP is taken, like `http://collector:4318`; undefined: as `OTEL_EXPORTER_OTLP_ENDPOINT` says. */
  readonly url: string | undefined
  /** Name of the service; `OTEL_SERVICE_NAME` wins over it. */
  readonly service: string
}

export interface Telemetry {
  /** For `connect`. */
  readonly tracing: NonNullable<ConnectOptions['tracing']>
  /** For the receiver. */
  readonly requests: RequestSpans
  /** The trace of what is going on, for a line of the log. */
  readonly traceFields: () => Readonly<Record<string, string>>
  /** Says from now on what cannot be sent, once a minute. */
  tellTo(log: Pick<Log, 'warn'>): void
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>
}

/** @returns undefined when nobody asks for traces. @throws {CommandError} when the libraries for them are not installed. */
export async function openTelemetry(
  options: TelemetryOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Telemetry | undefined> {
  const isAsked = options.url !== undefined || (env.OTEL_EXPORTER_OTLP_ENDPOINT ?? '') !== ''
  if (!isAsked || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined
  try {
    const { startSdk } = await import('./sdk.ts')
    return startSdk(options, env)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new CommandError(
      'Cannot send traces: the libraries of OpenTelemetry are not installed. They are optional dependencies: npm install, without --omit=optional',
      { cause: error },
    )
  }
}
