/** The names of OpenTelemetry, against those that it publishes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as published from '@opentelemetry/semantic-conventions/incubating'
import { MillraceError } from 'millrace'
import * as conventions from '../../src/otel/conventions.ts'

const who = { stream: 'visits', group: 'desk', name: 'ada' }

test('every name beyond our own is one of the semantic conventions', () => {
  const attributes = {
    ...conventions.consumerAttributes(who),
    ...conventions.operationAttributes(conventions.operations.send),
    ...conventions.serverAttributes('redis://127.0.0.1:6379'),
    ...conventions.messageAttributes('1-0'),
    ...conventions.batchAttributes(1),
    ...conventions.sampledAttributes(1),
    ...conventions.attemptAttributes(1),
    ...conventions.outcomeAttributes('acknowledge'),
    ...conventions.errorAttributes('TIMEOUT'),
  }
  const known = new Set<unknown>(Object.values(published))
  const foreign = Object.keys(attributes).filter((name) => !name.startsWith('millrace.'))
  assert.equal(foreign.length, 11)
  assert.deepEqual(
    foreign.filter((name) => !known.has(name)),
    [],
  )
  for (const { type } of Object.values(conventions.operations)) assert.ok(known.has(type), type)
})

test('a server is told by its address, never by its user', () => {
  const of = (url: string) => conventions.serverAttributes(url)
  const at = (address: string, port: number) => ({ 'server.address': address, 'server.port': port })
  assert.deepEqual(of('redis://ada:***@redis.test'), at('redis.test', 6379))
  assert.deepEqual(of('rediss://redis.test:7000/3'), at('redis.test', 7000))
  assert.deepEqual(of('redis://[::1]:7000'), at('::1', 7000))
  assert.deepEqual(of('unix:///run/redis.sock?db=1'), { 'server.address': '/run/redis.sock' })
})

test('an error has a type of which there are few', () => {
  const of = conventions.errorTypeOf
  assert.equal(of(new MillraceError('TIMEOUT', 'no reply from 10.0.0.7 in 7 ms')), 'TIMEOUT')
  assert.equal(of(new RangeError('9 is too large')), 'RangeError')
  assert.equal(of(new DOMException('too long', 'TimeoutError')), 'TimeoutError')
  assert.equal(of('a text'), '_OTHER')
  assert.equal(of(Object.assign(new Error(), { name: '' })), '_OTHER')
})
