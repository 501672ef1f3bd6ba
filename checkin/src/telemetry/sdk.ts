/** The SDK of OpenTelemetry: traces alone, in batches, by OTLP over HTTP. Its own `OTEL_` variables say the rest. */
import { diag, DiagLogLevel, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { tracing } from 'millrace/otel'
import type { Telemetry, TelemetryOptions } from './telemetry.ts'
import { ServerSpans } from './server-spans.ts'

const leaveWithinMs = 2000
const sayEveryMs = 60_000

/** Starts it for this process. */
export function startSdk({ url, service }: TelemetryOptions, env: NodeJS.ProcessEnv): Telemetry {
  const name =
    env.OTEL_SERVICE_NAME === undefined || env.OTEL_SERVICE_NAME === ''
      ? service
      : env.OTEL_SERVICE_NAME
  const exporter = new OTLPTraceExporter(
    // Without a URL it asks the environment, for its headers, too.
    url === undefined ? {} : { url: `${url.replace(/\/+$/, '')}/v1/traces` },
  )
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': name })),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  })
  provider.register()
  return {
    // One trace from the request to the hash.
    tracing: tracing({ provider, continuesTraces: true }),
    requests: new ServerSpans(provider.getTracer('checkin')),
    traceFields,
    tellTo: (log) => {
      let saidAt = -Infinity
      const say = (text: string): void => {
        if (performance.now() - saidAt < sayEveryMs) return
        saidAt = performance.now()
        log.warn(`Traces cannot be sent: ${text.slice(0, 300)}`)
      }
      const nothing = (): void => undefined
      const logger = { error: say, warn: nothing, info: nothing, debug: nothing, verbose: nothing }
      diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true })
    },
    close: async () => {
      const late = new Promise<void>((resolve) => setTimeout(resolve, leaveWithinMs).unref())
      // What cannot be sent is said by then.
      await Promise.race([provider.shutdown().catch(() => undefined), late])
    },
  }
}

function traceFields(): Readonly<Record<string, string>> {
  const span = trace.getActiveSpan()?.spanContext()
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }
}
