/**
 * Builds, as the tests run the built commands, and runs all tests in one process of node's runner. Arguments that begin with
 * "-" go to the runner; any other argument chooses the files whose path contains it:
 * `npm test -- embedded --test-name-pattern=adopt`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { flagsTakenByNpm } from './flags-taken-by-npm.mjs'
import { onPath } from './on-path.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const folders = ['engine/test', 'checkin/test', 'testing', 'mutants']

const args = process.argv.slice(2)
const filters = args.filter((argument) => !argument.startsWith('-'))
const options = args.filter((argument) => argument.startsWith('-'))
const files = folders.flatMap(testFiles).filter(isChosen)

const [taken] = flagsTakenByNpm('test', /^test-/)

if (taken !== undefined) {
  refuse(`npm took ${taken} for itself. Put "--" before it: npm test -- ${taken}`, 2)
} else if (!hasServer()) {
  refuse('no redis-server or valkey-server found on the PATH. Install one with "npm run setup"')
} else if (files.length === 0) {
  refuse(`no test file matches ${filters.map((filter) => `"${filter}"`).join(', ')}`)
} else if (!build()) {
  refuse('the build failed, see above')
} else {
  runTests()
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

function runTests() {
  // A test that hangs is told, and not waited for until somebody stops the run.
  const runner = [
    '--conditions=millrace-source',
    '--import',
    'tsx',
    '--test',
    '--test-timeout=600000',
  ]
  const child = spawn(process.execPath, [...runner, '--test-concurrency=2', ...options, ...files], {
    cwd: root,
    stdio: 'inherit',
  })
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
