/** Spans of calls that append: their context is that in which their entries were created. */
import { SpanKind } from '@opentelemetry/api'
import type { Carry, Extra, TracedAppend } from '../trace/tracing.ts'
import {
  batchAttributes,
  linksMax,
  messageAttributes,
  operationAttributes,
  operations,
  spanName,
  streamAttributes,
} from './conventions.ts'
import { contextFields, givenContext, parentField, stateField } from './creation-context.ts'
import type { Spans } from './spans.ts'

/** See `Tracing.send`. */
export async function send<Result>(
  spans: Spans,
  append: TracedAppend,
  work: (carry: Carry) => Promise<Result>,
): Promise<Result> {
  const { stream, count, extras } = append
  const given = extras.map(givenContext).filter((one) => one !== undefined)
  const span = spans.begin(spanName(operations.send, stream.key), {
    // Where each entry comes with a context of its own, ours is in none.
    kind: extras.some((extra) => isCarrier(append, extra)) ? SpanKind.PRODUCER : SpanKind.CLIENT,
    attributes: {
      ...streamAttributes(stream.key),
      ...operationAttributes(operations.send),
      ...(count === undefined ? {} : batchAttributes(count)),
    },
    links: given.slice(0, linksMax).map((context) => ({ context })),
  })
  const fields = contextFields(span.spanContext())
  const carry: Carry = (extra) =>
    fields !== undefined && isCarrier(append, extra) ? carrying(append, extra, fields) : extra
  return await spans.around(span, () => work(carry), {
    onResult: (result) => {
      if (typeof result === 'string') span.setAttributes(messageAttributes(result))
    },
  })
}

/** Whether an entry with these extra fields takes our context. What is no object of names is left to those who refuse it. */
function isCarrier({ stream }: TracedAppend, extra: unknown): boolean {
  if (Object.hasOwn(stream.fields, parentField)) return false
  if (extra === undefined) return true
  if (typeof extra !== 'object' || extra === null || Symbol.iterator in extra) return false
  return !Object.hasOwn(extra, parentField)
}

function carrying({ stream }: TracedAppend, extra: Extra | undefined, fields: Extra): Extra {
  const carried: Record<string, string> = { ...extra, ...fields }
  // A state of the caller's, without a parent, would be that of another trace; one that is declared is not ours.
  const isOurs = Object.hasOwn(fields, stateField) && !Object.hasOwn(stream.fields, stateField)
  if (!isOurs) Reflect.deleteProperty(carried, stateField)
  return carried
}
