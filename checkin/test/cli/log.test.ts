/** The log of a service as programs read it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escapedLine } from '../../src/log.ts'

test('a line of JSON says what it said, without a sign that a terminal acts on', () => {
  const subject = 'a\u0007\u007f\u0085\u009b31m\u2028\u2029\u202e\u200b\u{e0041}é😀\\u0041 "b"'
  const line = `${JSON.stringify({ subject })}\n`
  const escaped = escapedLine(line)
  assert.deepEqual(JSON.parse(escaped), { subject })
  assert.match(escaped, /^[^\p{C}\p{Zl}\p{Zp}]+\n$/u)
  assert.match(escaped, /\\u009b31m.*é😀/)
})
