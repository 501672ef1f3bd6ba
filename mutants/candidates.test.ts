import assert from 'node:assert/strict'
import { test } from 'node:test'
import ts from 'typescript'
import { thisCheckout } from '../testing/processes.ts'
import { areas } from './areas.ts'
import { candidatesIn, picked } from './candidates.ts'
import { readSource } from './checkout-copy.ts'
import { applied, mutantOf, shownChange } from './edit.ts'
import { equivalentOf, readEquivalents } from './equivalents.ts'
import { luaEdits } from './lua-edits.ts'

const all = candidatesIn(thisCheckout, areas, undefined)

test('candidates of our sources are code that can be parsed, and not what it was', () => {
  for (const mutant of picked(all, 150, 1)) {
    const text = readSource(thisCheckout, mutant.file)
    const changed = applied(text, mutant)
    const name = `${mutant.file}:${mutant.line} ${shownChange(mutant)}`
    assert.notEqual(changed, text, name)
    if (mutant.file.endsWith('.lua')) assert.doesNotThrow(() => luaEdits(changed), name)
    else {
      const { diagnostics } = ts.transpileModule(changed, { reportDiagnostics: true })
      assert.deepEqual(diagnostics, [], name)
    }
  }
})

test('picked are the same for a seed, others for another, and as many of each area', () => {
  const first = picked(all, 30, 7)
  assert.deepEqual(picked(all, 30, 7), first)
  assert.notDeepEqual(picked(all, 30, 8), first)
  for (const { name } of areas) {
    assert.equal(first.filter(({ area }) => area === name).length, 30 / areas.length)
  }
})

test('picked are all, once, when there are fewer than wanted', () => {
  const few = all.filter(({ file }) => file.endsWith('/claim.lua'))
  assert.equal(new Set(picked(few, 10_000, 1)).size, few.length)
})

test('a filter is the name of an area, or a part of a path', () => {
  const files = (filter: string): string[] => [
    ...new Set(candidatesIn(thisCheckout, areas, filter).map(({ file }) => file)),
  ]
  assert.ok(files('engine').every((file) => file.startsWith('engine/src/')))
  assert.deepEqual(files('consume/lease'), ['engine/src/consume/lease.ts'])
  assert.deepEqual(files('no such'), [])
})

test('a mutant is known again when lines above it move', () => {
  const [edit] = luaEdits('if  a then\n  b()\nend')
  const [moved] = luaEdits('-- more\n\nif  a then\n  b()\nend')
  assert.ok(edit !== undefined && moved !== undefined)
  const before = mutantOf('lua', 'a.lua', 'if  a then\n  b()\nend', edit)
  const after = mutantOf('lua', 'a.lua', '-- more\n\nif  a then\n  b()\nend', moved)
  assert.deepEqual([before.line, after.line], [1, 3])
  assert.ok(equivalentOf(after, [{ ...before, reason: 'for this test' }]))
  assert.equal(
    equivalentOf({ ...after, after: 'if b then' }, [{ ...before, reason: '' }]),
    undefined,
  )
})

test('equivalents are mutants that there are, each with a reason', () => {
  for (const one of readEquivalents()) {
    assert.ok(
      all.some((mutant) => equivalentOf(mutant, [one])),
      `stale: ${JSON.stringify(one)}`,
    )
    assert.notEqual(one.reason.trim(), '')
  }
})

test('a change is shown with some words around it', () => {
  const line = 'local first_word, second_word = one_call(KEYS[1]) == another_call(KEYS[2])'
  const change = { before: line, after: line.replace('==', '~=') }
  assert.equal(
    shownChange(change),
    '...ord = one_call(KEYS[1]) == another_call(KEYS[2])  =>  ...ord = one_call(KEYS[1]) ~= another_call(KEYS[2])',
  )
})
