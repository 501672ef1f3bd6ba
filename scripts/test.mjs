/**
 * Builds, as the tests run the built commands, and runs all tests in one process of node's runner. Arguments that begin with
 * "-" go to the runner; any other argument chooses the files whose path contains it:
 * `npm test -- embedded --test-name-pattern=adopt`. `--changed [REF]` chooses what a change reaches, up to about a minute.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { changedPlan } from '../testing/changed-plan.ts'
import { inOrder } from '../testing/test-seconds.ts'
import { flagsTakenByNpm } from './flags-taken-by-npm.mjs'
import { onPath } from './on-path.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Test files mostly wait: for leases, for servers, for what must not happen. More than four would fill the memory with servers. */
const filesAtOnce = Math.min(4, 2 * availableParallelism())
const folders = [
  'engine/test',
  'ops/test',
  'checkin/test',
  'bench/test',
  'chaos/test',
  'testing',
  'mutants',
]

const { changed, filters, options } = readArguments(process.argv.slice(2))
const all = folders.flatMap(testFiles).filter(isChosen)

const [taken] = flagsTakenByNpm('test', /^(?:test-|changed$)/)

if (taken !== undefined) {
  refuse(`npm took ${taken} for itself. Put "--" before it: npm test -- ${taken}`, 2)
} else if (!hasServer()) {
  refuse('no redis-server or valkey-server found on the PATH. Install one with "npm run setup"')
} else if (all.length === 0) {
  refuse(`no test file matches ${filters.map((filter) => `"${filter}"`).join(', ')}`)
} else if (changed === undefined) {
  buildAndRun(inOrder(all), process.env)
} else {
  runChanged(changed.ref)
}

/** `--changed` takes the argument behind it, unless that is an option. */
function readArguments(given) {
  const at = given.findIndex((argument) => /^--changed(?:=|$)/.test(argument))
  if (at === -1) return { ...kindsOf(given) }
  const [, equal] = given[at].split(/=(.*)/s)
  const hasNext =
    equal === undefined && given[at + 1] !== undefined && !given[at + 1].startsWith('-')
  const ref = hasNext ? given[at + 1] : equal
  return { changed: { ref }, ...kindsOf(given.toSpliced(at, hasNext ? 2 : 1)) }
}

function kindsOf(given) {
  return {
    filters: given.filter((argument) => !argument.startsWith('-')),
    options: given.filter((argument) => argument.startsWith('-')),
  }
}

function runChanged(ref) {
  try {
    const { files, says } = changedPlan(root, all, ref)
    for (const line of says) console.log(line)
    if (files.length === 0) return
    const quick = { MILLRACE_TEST_SERVER: quickestServer(), MILLRACE_PROPERTY_RUNS: '50' }
    buildAndRun(inOrder(files), { ...quick, ...process.env })
  } catch (error) {
    refuse(error.message, 2)
  }
}

/** One kind of server; where the PATH has none, only fetched ones are there, and all of them run. */
function quickestServer() {
  return ['redis', 'valkey'].find((kind) => onPath(`${kind}-server`) !== undefined)
}

function buildAndRun(files, env) {
  if (build()) runTests(files, env)
  else refuse('the build failed, see above')
}

function build() {
  const npm = process.env.npm_execpath
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm]
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }
  return spawnSync(command, [...first, 'run', '--silent', 'build'], options).status === 0
}

function testFiles(folder) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .sort()
}

function isChosen(file) {
  return filters.length === 0 || filters.some((filter) => file.includes(filter))
}

function hasServer() {
  const isOnPath = ['redis-server', 'valkey-server'].some((name) => onPath(name) !== undefined)
  return isOnPath || existsSync(join(root, '.cache/servers'))
}

function runTests(files, env) {
  // A test that hangs is named by the time limit of each test. That of the runner is for a whole file: one that hangs outside of its tests.
  const runner = [
    '--conditions=millrace-source',
    '--import',
    'tsx',
    '--import',
    './testing/time-limit.mjs',
    '--test',
    '--test-timeout=300000',
  ]
  const child = spawn(
    process.execPath,
    [...runner, `--test-concurrency=${filesAtOnce}`, ...options, ...files],
    {
      cwd: root,
      env,
      stdio: 'inherit',
    },
  )
  // The terminal sends Ctrl-C to the runner, too: this process only waits for its end.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.on('close', (code) => {
    process.exitCode = code ?? 1
  })
}

function refuse(reason, exitCode = 1) {
  console.error(`Cannot run the tests: ${reason}`)
  process.exitCode = exitCode
}
