/**
 * Spans, begun and ended. Promise: whatever a sampler or a processor of the application throws, the work that is traced goes on; its
 * first failure is a warning of the process.
 */
import {
  context,
  INVALID_SPAN_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanOptions,
  type TimeInput,
  type Tracer,
} from '@opentelemetry/api'
import { messageOf } from '../support/shown.ts'
import { errorAttributes, errorTypeOf } from './conventions.ts'

export class Spans {
  readonly #tracer: Tracer
  readonly #attributes: Attributes
  #hasWarned = false

  /** @param attributes of all of them */
  constructor(tracer: Tracer, attributes: Attributes) {
    this.#tracer = tracer
    this.#attributes = attributes
  }

  begin(name: string, options: SpanOptions, parent: Context = context.active()): Span {
    try {
      const attributes = { ...this.#attributes, ...options.attributes }
      return this.#tracer.startSpan(name, { ...options, attributes }, parent)
    } catch (error) {
      this.#failed(error)
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    }
  }

  end(span: Span, at?: TimeInput): void {
    try {
      span.end(at)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Calls inside the span, and ends it with what was thrown. `onResult` sees what the work resolves to. */
  async around<Result>(
    span: Span,
    work: () => Promise<Result>,
    {
      onResult = () => undefined,
      onError = (error) => fail(span, errorTypeOf(error), messageOf(error)),
    }: {
      readonly onResult?: (result: Result) => void
      readonly onError?: (error: unknown) => void
    } = {},
  ): Promise<Result> {
    try {
      const result = await context.with(trace.setSpan(context.active(), span), work)
      onResult(result)
      return result
    } catch (error) {
      onError(error)
      throw error
    } finally {
      this.end(span)
    }
  }

  #failed(error: unknown): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const text = `Tracing failed: ${messageOf(error)}. The work goes on; its next failures are not told`
    const detail = error instanceof Error ? (error.stack ?? '') : ''
    process.emitWarning(text, { type: 'MillraceWarning', code: 'MILLRACE_TRACING', detail })
  }
}

/** Says of a span that what it is about has failed. */
export function fail(span: Span, type: string, message: string): void {
  span.setAttributes(errorAttributes(type))
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}
