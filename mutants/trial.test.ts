/** Mutants of a tiny checkout, made by hand: each ends as it has to. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { removeAtExit } from '../testing/clean-up-at-exit.ts'
import { thisCheckout } from '../testing/processes.ts'
import { removeCopy, temporaryIn } from './checkout-copy.ts'
import { coverageIn } from './coverage.ts'
import { mutantOf } from './edit.ts'
import { lineOf, tableOf } from './report.ts'
import { runTestFile } from './test-file-run.ts'
import { tryMutant, type Verdict } from './trial.ts'

const source = `export function least(a: number, b: number): number {
  if (a <= b) return a
  return b
}
export function countdown(from: number): number {
  while (from > 0) from -= 1
  return from
}
`
const testsOfLeast = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countdown, least } from '../src/least.ts'
test('least is the least', () => assert.equal(least(1, 2), 1))
test('countdown ends', () => assert.equal(countdown(3), 0))
`
const file = 'engine/src/least.ts'

function tinyCheckout(tests: string): string {
  const root = mkdtempSync(join(tmpdir(), 'tiny-'))
  removeAtExit(root)
  const files = {
    'package.json': '{ "type": "module" }',
    [file]: source,
    'engine/test/least.test.ts': tests,
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  mkdirSync(join(root, temporaryIn))
  symlinkSync(join(thisCheckout, 'node_modules'), join(root, 'node_modules'))
  return root
}

/** The verdict on a text that is replaced in the tiny source. */
async function verdictOn(
  find: string,
  replacement: string,
  { limitMs = 120_000, tests = testsOfLeast } = {},
): Promise<Verdict> {
  const start = source.indexOf(find)
  const edit = { start, end: start + find.length, replacement, operator: 'by hand' }
  const root = tinyCheckout(tests)
  try {
    const mutant = mutantOf('tiny', file, source, edit)
    return await tryMutant(root, mutant, [{ file: 'engine/test/least.test.ts', limitMs }])
  } finally {
    removeCopy(root)
  }
}

describe('a mutant', { concurrency: true }, () => {
  test('that a test sees is killed by it', async () => {
    const verdict = await verdictOn('a <= b', 'a >= b')
    assert.ok(verdict.kind === 'killed', verdict.kind)
    assert.equal(verdict.title, 'least is the least')
    assert.match(verdict.said, /Expected values to be strictly equal/)
  })

  test('that no test sees survives', async () => {
    assert.deepEqual(await verdictOn('a <= b', 'a < b'), {
      kind: 'survived',
      files: 1,
      wavered: [],
    })
  })

  test('that a test sees but once survives, and the test is named', async () => {
    const wavering = `import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
test('the first time fails', () => {
  const isFirst = !existsSync('seen')
  writeFileSync('seen', '')
  assert.ok(!isFirst)
})
`
    assert.deepEqual(await verdictOn('a <= b', 'a < b', { tests: wavering }), {
      kind: 'survived',
      files: 1,
      wavered: ['engine/test/least.test.ts: "the first time fails"'],
    })
  })

  test('that never ends is ended by its limit', async () => {
    const verdict = await verdictOn('from -= 1', 'from += 0', { limitMs: 8000 })
    assert.deepEqual(verdict, { kind: 'timed out', file: 'engine/test/least.test.ts' })
  })

  test('that cannot be loaded is invalid, not killed', async () => {
    assert.deepEqual(await verdictOn(source, `${source}\nthrow nothing`), { kind: 'invalid' })
  })
})

test('what a run has called is told by function', async () => {
  const root = tinyCheckout(testsOfLeast.replace(/test\('countdown.*/, ''))
  const env = { NODE_V8_COVERAGE: join(root, 'coverage') }
  const end = await runTestFile(root, 'engine/test/least.test.ts', { limitMs: 120_000, env })
  assert.equal(end.kind, 'passed')
  const { coverage, tests: loaded } = coverageIn(join(root, 'coverage'), root)
  const { least, countdown } = coverage[file] ?? {}
  assert.deepEqual([least, countdown ?? false], [true, false])
  assert.deepEqual(loaded, ['engine/test/least.test.ts'])
})

test('the table counts what was killed of what could be', () => {
  const mutant = mutantOf('tiny', file, source, {
    start: 0,
    end: 6,
    replacement: '',
    operator: 'x',
  })
  const killed = { kind: 'killed', file: 'a.test.ts', title: 'a', said: 'b' } as const
  const verdicts: Verdict[] = [
    killed,
    { kind: 'timed out', file: 'a.test.ts' },
    { kind: 'survived', files: 2, wavered: [] },
    { kind: 'equivalent', reason: 'c' },
    { kind: 'invalid' },
  ]
  const [, row] = tableOf(verdicts.map((verdict) => ({ mutant, verdict }))).split('\n')
  assert.deepEqual(row?.split(/ {2,}/), ['tiny', '5', '1', '1', '1', '1', '1', '67 %'])
  assert.match(
    lineOf({ mutant, verdict: killed }),
    /killed .*tiny .*least\.ts:1[^]*a\.test\.ts: "a"/,
  )
})
