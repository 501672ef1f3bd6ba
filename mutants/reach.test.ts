/** What was measured, as it is kept: who is asked for a mutant, and when it is measured again. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Reach } from './reach.ts'

const calls = 'a.test.ts'
const loads = 'b.test.ts'
const fails = 'c.test.ts'
const all = [calls, loads, fails]

function checkoutWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'reach-'))
  t.after(() => rmSync(root, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

/** Three test files were measured: one calls `held`, one only loads its module, one calls it but fails as it is. */
function kept(): string {
  const called = { 'engine/src/a.ts': { held: true, never: false } }
  const one = (file: string, more: object): object => ({
    of: [file],
    digest: createHash('sha1').update(`${file}\0`).update('as it was').digest('hex'),
    sources: 'older',
    seconds: 1,
    coverage: called,
    scripts: ['engine/lua/a.lua'],
    ...more,
  })
  return JSON.stringify({
    [calls]: one(calls, {}),
    [loads]: one(loads, { coverage: { 'engine/src/a.ts': { held: false } }, scripts: [] }),
    [fails]: one(fails, { failed: 'a test: it does' }),
  })
}

const asItWas = Object.fromEntries(all.map((file) => [file, 'as it was']))

test('those are asked that call the function, or send the script, and pass as they are', (t) => {
  const root = checkoutWith(t, { ...asItWas, '.cache/mutants/reach.json': kept() })
  const reach = new Reach(root, [])
  const asked = (file: string, within?: string): string[] => reach.of({ file, within }, all)
  assert.deepEqual(asked('engine/src/a.ts', 'held'), [calls])
  assert.deepEqual(asked('engine/src/a.ts', 'never'), [])
  assert.deepEqual(asked('engine/src/a.ts', undefined), [calls, loads])
  assert.deepEqual(asked('engine/src/b.ts', 'held'), [])
  assert.deepEqual(asked('engine/lua/a.lua'), [calls])
  assert.deepEqual(reach.failing(all), [`${fails}: a test: it does`])
})

test('a test file is measured again when it has changed or has failed; an older source is told alone', (t) => {
  const files = { ...asItWas, [calls]: 'as it is now', '.cache/mutants/reach.json': kept() }
  const reach = new Reach(checkoutWith(t, files), [])
  assert.deepEqual(reach.missing([...all, 'new.test.ts']), [calls, fails, 'new.test.ts'])
  assert.deepEqual(reach.old([loads]), [loads])
})
