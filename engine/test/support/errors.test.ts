/** Failures whose messages are composed of parts: a program may tell them with its own remedy. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MillraceError } from '../../src/index.ts'

describe('MillraceError', () => {
  test('composes its message of what could not be done, why, and what helps', () => {
    const parts = { action: 'Cannot do it', state: 'the door is closed', remedy: 'Open it' }
    const error = new MillraceError('REFUSED', parts)
    assert.equal(error.message, 'Cannot do it: the door is closed. Open it')
    const { action, state, remedy } = error
    assert.deepEqual({ action, state, remedy }, parts)
    const plain = new MillraceError('REFUSED', { action: 'Cannot do it', state: 'no' })
    assert.equal(plain.message, 'Cannot do it: no')
  })

  test('adds no second full stop to what a server asks back', () => {
    const state = 'Are you sure?'
    const error = new MillraceError('REFUSED', { action: 'Cannot', state, remedy: 'Be sure' })
    assert.equal(error.message, 'Cannot: Are you sure? Be sure')
  })

  test('is told with another remedy, and keeps its code', () => {
    const parts = { action: 'Cannot do it', state: 'it is closed', remedy: 'Open it' }
    const error = new MillraceError('NO_GROUP', parts)
    const told = error.withRemedy('Run "open"')
    assert.equal(told.message, 'Cannot do it: it is closed. Run "open"')
    assert.equal(told.code, 'NO_GROUP')
    assert.equal(told.cause, error)
    const sentence = new MillraceError('NO_GROUP', 'It is closed')
    assert.equal(sentence.withRemedy('Open it').message, 'It is closed. Open it')
    const reply = { state: 'NOPERM no right to it', remedy: 'Grant it' }
    const refused = new MillraceError('AUTHENTICATION', reply)
    assert.equal(refused.message, 'NOPERM no right to it. Grant it')
    assert.equal(refused.withRemedy('Ask').message, 'NOPERM no right to it. Ask')
  })
})
