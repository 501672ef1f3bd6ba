import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

const preload = new URL('time-limit.mjs', import.meta.url).href

/** Runs a test file with a limit of one second. */
function run(t: TestContext, source: string) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-limit-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'some.test.mjs')
  writeFileSync(file, `import { describe, test } from 'node:test'\n${source}`)
  const ended = spawnSync(process.execPath, ['--import', preload, '--test', file], {
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, MILLRACE_TEST_LIMIT_S: '1' },
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  return { file, status: ended.status, output: ended.stdout + ended.stderr }
}

const onSignal = "process.once('SIGTERM', () => process.exit(1))\n"

for (const [what, source] of [
  ['waits', 'async () => { await new Promise(() => setInterval(() => {}, 1000)) }'],
  ['is busy', '() => { for (;;); }'],
  [
    'ends and waits in what follows',
    '(t) => { t.after(() => new Promise(() => {})); setInterval(() => {}, 1000) }',
  ],
] as const) {
  test(`a test that ${what} for ever is named, and its file ended`, (t) => {
    const tests = `test('ends', () => {})\ndescribe('suite', () => { test('hangs', ${source}) })\n`
    const { file, status, output } = run(t, onSignal + tests)
    assert.equal(status, 1, output)
    const told = /Ended (\S+): (.*)\n/.exec(output)
    assert.ok(told, output)
    assert.equal(told[1], file)
    assert.equal(told[2], '"suite > hangs" has not ended in 1 s')
  })
}

test('a file may take longer than a limit in which each of its tests ends', (t) => {
  const { status, output } = run(
    t,
    `const later = () => new Promise((resolve) => setTimeout(resolve, 700))
test('skipped', { skip: true }, () => {})
test('skips itself', (t) => t.skip('no reason'))
test('of two', async (t) => { await t.test('first', later) })
test('another', later)
`,
  )
  assert.equal(status, 0, output)
  assert.doesNotMatch(output, /has not ended/)
})

test('a test may take longer, or less long, when it says so; others that run are named', (t) => {
  const source = `import { mayTake } from '${preload}'
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
test('longer', async (t) => { mayTake(t, 60); await after(1500) })
describe('suite', { concurrency: true }, () => {
  test('shorter', async (t) => { mayTake(t, 0.5); await after(9000) })
  test('beside it', () => after(9000))
})
`
  const { status, output } = run(t, source)
  assert.equal(status, 1)
  assert.match(
    output,
    /: "suite > shorter" has not ended in [01] s\. Also running: "suite > beside it" for [01] s\n/,
  )
})
