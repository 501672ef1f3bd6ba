/** The trace context of an entry, which anybody may have written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSpanContextValid } from '@opentelemetry/api'
import fc from 'fast-check'
import { contextFields, creationContext, givenContext } from '../../src/otel/creation-context.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'
const valid = `00-${traceId}-${spanId}-01`
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))

test('a context that is written is read again', () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 255 }), (trace, span, traceFlags) => {
      const context = { traceId: trace, spanId: span, traceFlags }
      const fields = contextFields(context)
      assert.equal(fields !== undefined, isSpanContextValid(context))
      if (fields === undefined) return
      assert.deepEqual(creationContext(Object.entries(fields)), { ...context, isRemote: true })
      assert.deepEqual(givenContext(fields), { ...context, isRemote: true })
    }),
  )
})

test('whatever stands there is a valid context or none, and never a failure', () => {
  const almost = fc
    .tuple(fc.nat(valid.length), fc.nat(3), fc.string({ maxLength: 3 }))
    .map(([at, gone, put]) => valid.slice(0, at) + put + valid.slice(at + gone))
  const parent = fc.oneof(fc.string(), almost, fc.string({ minLength: 190, maxLength: 210 }))
  fc.assert(
    fc.property(parent, fc.string(), (traceparent, tracestate) => {
      const context = creationContext([
        ['other', 'x'],
        ['traceparent', traceparent],
        ['tracestate', tracestate],
      ])
      assert.ok(context === undefined || isSpanContextValid(context))
      assert.deepEqual(givenContext({ traceparent, tracestate })?.spanId, context?.spanId)
    }),
  )
})

for (const [what, carried] of Object.entries({
  'nothing carried': undefined,
  'no traceparent': [['tracestate', 'a=1']],
  'two of them': [
    ['traceparent', valid],
    ['traceparent', valid],
  ],
  'zeros as trace': [['traceparent', `00-${'0'.repeat(32)}-${spanId}-01`]],
  'zeros as span': [['traceparent', `00-${traceId}-${'0'.repeat(16)}-01`]],
  'version ff': [['traceparent', `ff-${traceId}-${spanId}-01`]],
  'more behind version 00': [['traceparent', `${valid}-more`]],
  'capital letters': [['traceparent', valid.toUpperCase()]],
  'a line break behind it': [['traceparent', `${valid}\n`]],
} satisfies Record<string, [string, string][] | undefined>)) {
  test(`is none: ${what}`, () => assert.equal(creationContext(carried), undefined))
}

test('a later version may have more behind its parts', () => {
  const context = creationContext([['traceparent', `cc-${traceId}-${spanId}-01-more`]])
  assert.equal(context?.traceId, traceId)
})

test('a state is kept up to what everybody must keep', () => {
  const read = (state: string) =>
    creationContext([
      ['traceparent', valid],
      ['tracestate', state],
    ])
  assert.equal(read('a=1,b=2')?.traceState?.serialize(), 'a=1,b=2')
  assert.equal(read(`a=${'x'.repeat(511)}`)?.traceState, undefined)
})

test('what a caller gives that is no text is no context', () => {
  for (const given of [undefined, {}, { traceparent: 7 }, { traceparent: null }]) {
    assert.equal(givenContext(given as never), undefined)
  }
})
