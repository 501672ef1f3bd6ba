import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { benchmarks } from '../benchmarks/all.ts'
import type { Result } from '../benchmarks/benchmark.ts'
import { repositoryRoot } from '../places.ts'

const execute = promisify(execFile)
const program = join(repositoryRoot, 'bench', 'main.ts')

async function bench(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const flags = ['--conditions=millrace-source', '--import', 'tsx']
  return execute(process.execPath, [...flags, program, ...args], { cwd: repositoryRoot })
}

test('bench NAME leaves a table and a JSON file, from which bench report writes the document', async (t) => {
  const results = await mkdtemp(join(tmpdir(), 'millrace-bench-test-'))
  t.after(() => rm(results, { recursive: true, force: true }))
  const { stdout, stderr } = await bench('idle', '--scale', 'tiny', '--results', results)
  const result = JSON.parse(await readFile(join(results, 'idle.json'), 'utf8')) as Result
  assert.deepEqual([result.benchmark, result.roundsAsked], ['idle', 1])
  for (const { label } of result.rows) {
    assert.ok(stdout.includes(label), `${label} is in the table`)
    assert.ok(stderr.includes(label), `${label} is told while it runs`)
  }
  await bench('report', '--results', results, '--documents', results)
  const document = await readFile(join(results, 'benchmarks.md'), 'utf8')
  for (const { label } of result.rows) assert.ok(document.includes(label), label)
})

test('bench refuses an unknown name with the list and exit code 2', async () => {
  const others = ['all', 'full', 'quick', 'report']
  const known = [...others, ...benchmarks.map(({ name }) => name)].join(', ')
  await assert.rejects(bench('nope'), {
    code: 2,
    stderr: `error: Cannot run benchmark "nope": there are ${known}\n`,
  })
})
