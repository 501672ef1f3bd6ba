import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from 'millrace'
import { Reference } from 'millrace/testing'
import { visit, visitModel } from '../stage/fixture.ts'

test('the reference refuses an entry that lacks a declared field', () => {
  const { visits, guests, rooms } = visitModel('r')
  const reference = new Reference(visits, [guests, rooms])
  assert.equal(reference.apply({ id: '1-0', values: visit(1) } as unknown as Entry), undefined)
  assert.throws(
    () => reference.apply({ id: '2-0', values: { guest: 1, room: 1 } } as unknown as Entry),
    new TypeError('Cannot apply entry 2-0: field "stars" is missing'),
  )
  assert.equal(reference.hashes.get('r:rooms:1')?.get('visits'), undefined)
})
