import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as millrace from 'millrace'
import type { Operator } from 'millrace'
import { oneOfEach } from '../stage/one-of-each.ts'

/** What messages tell to call; the compiler asks for each kind. */
const calls: Readonly<Record<Operator['kind'], (...given: never[]) => Operator>> = millrace

test('each kind of operator is exported as a call of its name', () => {
  for (const kind of Object.keys(oneOfEach('stars', 'guest'))) {
    assert.equal(typeof calls[kind as Operator['kind']], 'function', kind)
  }
})

test('the laws hold for every kind of operator', () => {
  const operators = oneOfEach('stars', 'guest')
  for (const [field, operator] of Object.entries(operators)) assert.equal(operator.kind, field)
  const wrong = { stars: 'no operator' } as unknown as Record<string, Operator>
  const told = (error: Error): boolean =>
    Object.keys(operators).every((kind) => error.message.includes(`${kind}()`)) &&
    (error.message.match(/\(\)/g)?.length ?? 0) === Object.keys(operators).length
  assert.throws(() => millrace.projection('all', wrong), told)
})
