import { trace, type TracerProvider } from '@opentelemetry/api'
import { anObject, checkOptions, flag, integerFrom, type Rules } from '../support/option-values.ts'
import type { Tracing } from '../trace/tracing.ts'
import { send } from './append-spans.ts'
import { ConsumerSpans } from './consumer-spans.ts'
import { serverAttributes } from './conventions.ts'
import { Spans } from './spans.ts'

export interface TracingOptions {
  /** Whose tracer makes the spans; default: that of `@opentelemetry/api`, as the application has registered it. */
  readonly provider?: TracerProvider
  /**
   * True: what is about one entry continues the trace in which it was appended, and links to it besides; batches have a span for each
   * entry whose trace is sampled. Default false: it begins a trace of its own and links, as the conventions ask for.
   */
  readonly continuesTraces?: boolean
  /** Batches of push-down that have a span each second, for each consumer, 0 or more, default 10; 0: none. */
  readonly foldsPerSecond?: number
  /** Entries of such a batch that are read for their trace context, the latest ones, 0 to 128, default 16. */
  readonly entriesPerFold?: number
}

const rules: Rules<TracingOptions> = {
  provider: anObject,
  continuesTraces: flag,
  foldsPerSecond: integerFrom(0, 1_000_000),
  entriesPerFold: integerFrom(0, 128),
}

/** The instrumentation scope. */
const scope = 'millrace'

/**
 * Traces what a {@link Millrace} appends, handles and applies: `connect({ url, tracing: tracing() })`. An entry carries the context of
 * its append in its fields `traceparent` and `tracestate`, beyond the declared ones.
 * @throws {TypeError} or {RangeError} naming the option.
 */
export function tracing(options: TracingOptions = {}): Tracing {
  checkOptions('trace', options, rules)
  const { provider, continuesTraces = false, foldsPerSecond = 10, entriesPerFold = 16 } = options
  const tracer = provider === undefined ? trace.getTracer(scope) : provider.getTracer(scope)
  const folds = { perSecond: foldsPerSecond, entries: entriesPerFold }
  return {
    at: (url) => {
      const spans = new Spans(tracer, serverAttributes(url))
      return {
        send: (append, work) => send(spans, append, work),
        consumer: (who) => new ConsumerSpans(spans, who, { continuesTraces, folds }),
      }
    },
  }
}
