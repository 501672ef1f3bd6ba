import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastWords } from '../../src/embedded/launch-server.ts'

test('last words of a server are those after its start, if the log goes back so far', () => {
  const ready = '1:M 29 Nov 2026 07:00:00.123 * Ready to accept connections tcp'
  const start = `1:M # WARNING: overcommit\n${ready}\n`
  assert.equal(lastWords(start), 'It said nothing, so it was killed perhaps')
  assert.equal(lastWords(''), 'It said nothing, so it was killed perhaps')
  assert.equal(lastWords(`${start}one\ntwo\n`), 'It said last:\none\ntwo')
  assert.equal(lastWords(`old\n${start}`), 'It said nothing, so it was killed perhaps')
  assert.equal(lastWords('one\ntwo\n'), 'It said last:\none\ntwo')
})
