#!/usr/bin/env node
/**
 * The service's command: `npx checkin COMMAND`. In a checkout with its development dependencies it runs the sources, as
 * the npm scripts do; without them (`npm prune --omit=dev`) what `npm run build` made.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const built = new URL('../dist/main.js', import.meta.url)

if (canResolve('tsx')) runSources()
else if (existsSync(built)) await import(built.href)
else {
  console.error('Cannot run checkin: it is not built. Run "npm ci && npm run build"')
  process.exitCode = 1
}

function canResolve(name) {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

/** Node takes the condition for the sources only at its start, so they run in a process of their own, which gets our signals. */
function runSources() {
  const options = ['--conditions=millrace-source', '--import', import.meta.resolve('tsx')]
  const args = [...options, source, ...process.argv.slice(2)]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  // The terminal sends Ctrl-C to the child, too.
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`Cannot run checkin: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}
