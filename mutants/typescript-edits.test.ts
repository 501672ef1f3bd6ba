import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applied } from './edit.ts'
import { typescriptEdits } from './typescript-edits.ts'

/** What the text becomes, by operator. */
function mutantsOf(text: string): Record<string, string[]> {
  const by: Record<string, string[]> = {}
  for (const edit of typescriptEdits(text)) (by[edit.operator] ??= []).push(applied(text, edit))
  return by
}

test('mutants of a condition force it and negate it', () => {
  assert.deepEqual(mutantsOf('if (ready) go'), {
    condition: ['if (true) go', 'if (false) go', 'if (!(ready)) go'],
  })
  assert.deepEqual(mutantsOf('const a = b ? c : d').condition, [
    'const a = true ? c : d',
    'const a = false ? c : d',
    'const a = !(b) ? c : d',
  ])
  assert.deepEqual(mutantsOf('while (a) b').condition, ['while (false) b'])
  assert.deepEqual(mutantsOf('if (!a) b'), {
    condition: ['if (true) b', 'if (false) b'],
    negation: ['if (a) b'],
  })
})

test('mutants of operators swap them', () => {
  assert.deepEqual(mutantsOf('const a = b >= c').comparison, [
    'const a = b > c',
    'const a = b <= c',
  ])
  assert.deepEqual(mutantsOf('const a = b === c').comparison, ['const a = b !== c'])
  assert.deepEqual(mutantsOf('const a = b && c || d').logic, [
    'const a = b && c && d',
    'const a = b || c || d',
  ])
  assert.deepEqual(mutantsOf('a -= b + c').arithmetic, ['a += b + c', 'a -= b - c'])
  assert.deepEqual(mutantsOf('a++').arithmetic, ['a--'])
  assert.deepEqual(mutantsOf('const a = Math.max(b, c)').bound, ['const a = Math.min(b, c)'])
})

test('mutants of values: small numbers and booleans', () => {
  assert.deepEqual(mutantsOf('const a = [0, 1n, 60_000, 0.5]').number, [
    'const a = [1, 1n, 60_000, 0.5]',
    'const a = [0, 2n, 60_000, 0.5]',
  ])
  assert.deepEqual(mutantsOf('const a = true').boolean, ['const a = false'])
})

test('mutants of statements leave out calls, assignments and early ends', () => {
  assert.deepEqual(mutantsOf('f()\nvoid g()\nawait h()\na.b = c').dropped, [
    ';\nvoid g()\nawait h()\na.b = c',
    'f()\n;\nawait h()\na.b = c',
    'f()\nvoid g()\n;\na.b = c',
    'f()\nvoid g()\nawait h()\n;',
  ])
  assert.deepEqual(mutantsOf('for (;;) if (a) { b(); continue }')['early end'], [
    'for (;;) if (a) { b(); ; }',
  ])
  assert.equal(mutantsOf('for (;;) if (a) break')['early end'], undefined)
})

test('mutants do not wait, but where the promise is handed on', () => {
  assert.deepEqual(mutantsOf('await f()').await, ['f()'])
  assert.deepEqual(mutantsOf('async () => await f()').await, undefined)
  assert.deepEqual(mutantsOf('async function g() { return await f() }').await, undefined)
})

test('mutants are none in types, imports, texts, errors and logs, nor in what a constructor sets', () => {
  const left = [
    "import { a } from 'b'",
    'type A = 1 | true',
    'interface B { c: 0 }',
    'const d = `${a + 1} < ${b}`',
    "const e = '1 < 2' + f",
    'const g: 1 | 2 = h as 1',
    "new RangeError(a + 1 < 2 ? '' : b)",
    'this.#log.info({ a: 1 }, true)',
    'class C extends D { constructor() { super(); this.e = f } }',
    '// if (a < 1) b()',
  ]
  for (const text of left) assert.deepEqual(typescriptEdits(text), [], text)
})

test('mutants know the function they are in as V8 calls it', () => {
  const text = `function f() { a() }
class C {
  d = 1
  constructor() { a() }
  #m() { return () => { a() } }
  get g() { a() }
}
a()`
  const within = typescriptEdits(text).map((edit) => edit.within)
  assert.deepEqual(within, ['f', undefined, 'C', '#m', 'get g', undefined])
})
