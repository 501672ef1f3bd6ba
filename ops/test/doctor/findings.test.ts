/** What the doctor may find is named once, and its reference says so. (The compiler holds each check to the names of its file.) */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findings } from '../../src/doctor/findings.ts'

const page = readFileSync(new URL('../../../docs/reference.md', import.meta.url), 'utf8')

test('the reference says what each check of the doctor finds', () => {
  for (const [check, what] of Object.values(findings).flatMap((found) => Object.entries(found))) {
    const said = page.split('\n').filter((line) => line.startsWith(`- \`${check}\`: `))
    assert.deepEqual(said, [`- \`${check}\`: ${what}`], 'Write it anew: npm run reference')
  }
})

test('no two checks of the doctor have one name', () => {
  const names = Object.values(findings).flatMap((found) => Object.keys(found))
  assert.equal(new Set(names).size, names.length)
  assert.ok(names.length > 30)
})
