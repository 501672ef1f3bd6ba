/**
 * Spans of a consumer or a reader. Each links to the contexts in which its entries were created; with `continuesTraces`, one that
 * is about a single entry goes on in the entry's trace besides.
 */
import {
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Attributes,
  type Span,
  type SpanContext,
  type SpanOptions,
} from '@opentelemetry/api'
import type {
  ConsumerTracing,
  TracedAttempt,
  TracedConsumer,
  TracedEntry,
  TracedFold,
  TracedLetter,
} from '../trace/tracing.ts'
import {
  attemptAttributes,
  batchAttributes,
  consumerAttributes,
  errorAttributes,
  errorTypeOf,
  linksMax,
  messageAttributes,
  operationAttributes,
  operations,
  outcomeAttributes,
  sampledAttributes,
  spanName,
  type Operation,
} from './conventions.ts'
import { creationContext, isSampled } from './creation-context.ts'
import { messageOf } from '../support/shown.ts'
import { fail, type Spans } from './spans.ts'

export interface ConsumerSpansOptions {
  readonly continuesTraces: boolean
  readonly folds: ConsumerTracing['folds']
}

/** An entry whose append was traced, and whose trace is kept. */
interface Created {
  readonly id: string
  readonly context: SpanContext
}

export class ConsumerSpans implements ConsumerTracing {
  readonly folds: ConsumerTracing['folds']
  readonly #spans: Spans
  readonly #stream: string
  readonly #attributes: Attributes
  readonly #continuesTraces: boolean

  constructor(spans: Spans, who: TracedConsumer, options: ConsumerSpansOptions) {
    this.folds = options.folds
    this.#spans = spans
    this.#stream = who.stream
    this.#attributes = consumerAttributes(who)
    this.#continuesTraces = options.continuesTraces
  }

  async handle<Result extends { readonly kind: string }>(
    { id, carried, attempt, signal }: TracedAttempt,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const attributes = { ...messageAttributes(id), ...attemptAttributes(attempt) }
    const context = creationContext(carried)
    const span = this.#ofOne(operations.process, context, { kind: SpanKind.CONSUMER, attributes })
    return await this.#spans.around(span, work, {
      onResult: ({ kind }) => {
        span.setAttributes(outcomeAttributes(kind))
        // To the engine it is a failed attempt, so an entry of which one looks for failures must be found.
        if (kind !== 'acknowledge') fail(span, kind, `the handler decided: ${kind}`)
      },
      onError: (error) => {
        if (signal.aborted) span.setAttributes(outcomeAttributes('given-back'))
        else fail(span, errorTypeOf(error), messageOf(error))
      },
    })
  }

  async settle(
    {
      entries,
      isHandled,
    }: { readonly entries: readonly TracedEntry[]; readonly isHandled: boolean },
    work: () => Promise<void>,
  ): Promise<void> {
    const operation = isHandled ? operations.acknowledge : operations.process
    const kind = isHandled ? SpanKind.CLIENT : SpanKind.CONSUMER
    const attributes = batchAttributes(entries.length)
    const [span, ...others] = this.#ofBatch(operation, entries, { kind, attributes })
    if (span === undefined) {
      await work()
      return
    }
    const onError = (error: unknown): void => {
      for (const one of [span, ...others]) fail(one, errorTypeOf(error), messageOf(error))
    }
    try {
      await this.#spans.around(span, work, { onError })
    } finally {
      for (const one of others) this.#spans.end(one)
    }
  }

  folded({ count, entries, from, to }: TracedFold): void {
    const attributes = { ...batchAttributes(count), ...sampledAttributes(entries.length) }
    const options = { kind: SpanKind.CONSUMER, attributes, startTime: from }
    for (const span of this.#ofBatch(operations.process, entries, options))
      this.#spans.end(span, to)
  }

  deadLettered(letters: readonly TracedLetter[]): void {
    for (const { id, carried, reason, error } of letters.slice(0, linksMax)) {
      const attributes = { ...messageAttributes(id), ...errorAttributes(reason) }
      const options = { kind: SpanKind.CLIENT, attributes }
      const span = this.#ofOne(operations.deadLetter, creationContext(carried), options)
      fail(span, reason, error)
      this.#spans.end(span)
    }
  }

  /** A span that is about one entry. */
  #ofOne(operation: Operation, context: SpanContext | undefined, options: SpanOptions): Span {
    const links = context === undefined ? [] : [{ context }]
    return this.#begin(operation, { ...options, links }, context)
  }

  /**
   * Spans that are about a batch: one that links to its entries. Where traces are continued, one for each entry that has one, and none
   * for those whose trace nobody keeps.
   */
  #ofBatch(operation: Operation, entries: readonly TracedEntry[], options: SpanOptions): Span[] {
    const all = entries.map(({ id, carried }) => ({ id, context: creationContext(carried) }))
    const created = all.filter(isKept).slice(0, linksMax)
    if (!this.#continuesTraces || all.every(({ context }) => context === undefined)) {
      const links = created.map(({ id, context }) => ({
        context,
        attributes: messageAttributes(id),
      }))
      return [this.#begin(operation, { ...options, links }, undefined)]
    }
    return created.map(({ id, context }) => {
      const attributes = { ...options.attributes, ...messageAttributes(id) }
      return this.#ofOne(operation, context, { ...options, attributes })
    })
  }

  /** Whatever is active where a consumer was started has nothing to do with its entries. */
  #begin(operation: Operation, options: SpanOptions, created: SpanContext | undefined): Span {
    const attributes = {
      ...this.#attributes,
      ...operationAttributes(operation),
      ...options.attributes,
    }
    const parent = this.#continuesTraces ? created : undefined
    const from = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
    return this.#spans.begin(spanName(operation, this.#stream), { ...options, attributes }, from)
  }
}

/** A link to a context that is not sampled leads nowhere. */
function isKept(entry: {
  readonly id: string
  readonly context: SpanContext | undefined
}): entry is Created {
  return entry.context !== undefined && isSampled(entry.context)
}
