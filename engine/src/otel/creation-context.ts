/**
 * The context in which an entry was created, in two fields of the entry as W3C Trace Context writes it in two headers. Promise: what
 * anybody else has written there is a context, or it is none; never a failure.
 */
import {
  createTraceState,
  isSpanContextValid,
  TraceFlags,
  type SpanContext,
} from '@opentelemetry/api'
import type { Carried, Extra } from '../trace/tracing.ts'

export const parentField = 'traceparent'
export const stateField = 'tracestate'

// Version 00 has these four parts; a later version may have more behind them.
const pattern = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?$/
const parentMax = 200
// What everybody who passes it on must keep.
const stateMax = 512

/** The context that an entry carries; undefined: none, one that is malformed, or two of them. */
export function creationContext(carried: Carried): SpanContext | undefined {
  if (carried === undefined) return undefined
  const parents = carried.filter(([name]) => name === parentField)
  const [[, parent] = []] = parents
  if (parent === undefined || parents.length > 1) return undefined
  const [[, state] = []] = carried.filter(([name]) => name === stateField)
  return parsed(parent, state)
}

/** The context that a caller gives to an entry; undefined: none that is valid. */
export function givenContext(extra: Extra | undefined): SpanContext | undefined {
  const { [parentField]: parent, [stateField]: state } = (extra ?? {}) as Record<string, unknown>
  if (typeof parent !== 'string') return undefined
  return parsed(parent, typeof state === 'string' ? state : undefined)
}

/** The fields that carry a context; undefined: there is none to carry. */
export function contextFields(context: SpanContext): Extra | undefined {
  if (!isSpanContextValid(context)) return undefined
  const { traceId, spanId, traceFlags, traceState } = context
  const flags = (traceFlags & 0xff).toString(16).padStart(2, '0')
  const parent = { [parentField]: `00-${traceId}-${spanId}-${flags}` }
  const state = traceState?.serialize() ?? ''
  return state === '' || state.length > stateMax ? parent : { ...parent, [stateField]: state }
}

export function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0
}

function parsed(parent: string, state = ''): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = partsOf(parent)
  if (version === undefined || (version === '00' && more !== undefined)) return undefined
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  if (!isSpanContextValid(context)) return undefined
  if (state === '' || state.length > stateMax) return context
  return { ...context, traceState: createTraceState(state) }
}

function partsOf(parent: string): readonly (string | undefined)[] {
  const match = parent.length > parentMax ? null : pattern.exec(parent)
  return match ?? []
}
