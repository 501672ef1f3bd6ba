import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applied } from './edit.ts'
import { luaEdits } from './lua-edits.ts'

/** What the text becomes, by operator. */
function mutantsOf(text: string): Record<string, string[]> {
  const by: Record<string, string[]> = {}
  for (const edit of luaEdits(text)) (by[edit.operator] ??= []).push(applied(text, edit))
  return by
}

test('mutants of a Lua condition force it and negate it', () => {
  assert.deepEqual(mutantsOf('if ready then return end').condition, [
    'if true then return end',
    'if false then return end',
    'if not (ready) then return end',
  ])
  assert.deepEqual(mutantsOf('if a then return elseif b then return end').condition, [
    'if true then return elseif b then return end',
    'if false then return elseif b then return end',
    'if not (a) then return elseif b then return end',
    'if a then return elseif true then return end',
    'if a then return elseif false then return end',
    'if a then return elseif not (b) then return end',
  ])
  assert.deepEqual(mutantsOf('while a do end repeat until b').condition, [
    'while false do end repeat until b',
    'while a do end repeat until true',
  ])
})

test('mutants of a Lua condition are not negated where its own operator is', () => {
  assert.deepEqual(mutantsOf('if not (a) then return end'), {
    condition: ['if true then return end', 'if false then return end'],
    negation: ['if (a) then return end'],
  })
  assert.equal(mutantsOf('if a == b then return end').condition?.length, 2)
})

test('mutants of Lua operators swap them, whatever stands around them', () => {
  assert.deepEqual(mutantsOf('return (a) --[[<]] < (b)').comparison, [
    'return (a) --[[<]] <= (b)',
    'return (a) --[[<]] > (b)',
  ])
  assert.deepEqual(mutantsOf('return a -- < or\n < b').comparison?.[0], 'return a -- < or\n <= b')
  assert.deepEqual(mutantsOf('return a == b').comparison, ['return a ~= b'])
  assert.deepEqual(mutantsOf('return (orders and band)').logic, ['return (orders or band)'])
  assert.deepEqual(mutantsOf('return a - b * c').arithmetic, [
    'return a + b * c',
    'return a - b / c',
  ])
  assert.deepEqual(mutantsOf('return math.min(a, b)').bound, ['return math.max(a, b)'])
})

test('mutants of Lua values: small numbers and booleans, but no place of KEYS and ARGV', () => {
  assert.deepEqual(mutantsOf('return rows[1], KEYS[2], ARGV[3], 5000, 0.5').number, [
    'return rows[2], KEYS[2], ARGV[3], 5000, 0.5',
  ])
  assert.deepEqual(mutantsOf('return true').boolean, ['return false'])
})

test('mutants of Lua statements leave out calls, assignments and early ends', () => {
  assert.deepEqual(mutantsOf("redis.call('XACK', key)\n;(f or g)()\na.b = c").dropped, [
    'do end\n;(f or g)()\na.b = c',
    "redis.call('XACK', key)\n;do end\na.b = c",
    "redis.call('XACK', key)\n;(f or g)()\ndo end",
  ])
  assert.deepEqual(mutantsOf('if a then note = b return note end')['early end'], [
    'if a then note = b do end end',
  ])
  assert.equal(mutantsOf('if a then return b end')['early end'], undefined)
})

test('mutants are none in Lua comments and texts', () => {
  assert.deepEqual(luaEdits("-- if a < b then\nlocal text = 'a < 1 and true'"), [])
})
