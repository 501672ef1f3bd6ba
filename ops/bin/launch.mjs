/**
 * Runs a command of a package. In a checkout with its development dependencies it runs the sources, as the npm scripts do; without them
 * (installed, or after `npm prune --omit=dev`) what `npm run build` made.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/**
 * @param name of the command
 * @param bin URL of the file in `bin/` that was called
 */
export async function launch(name, bin) {
  const source = fileURLToPath(new URL('../src/main.ts', bin))
  const built = new URL('../dist/main.js', bin)
  const tsx = existsSync(source) ? tsxFor(bin) : undefined
  if (tsx !== undefined) runSources(name, source, tsx)
  else if (existsSync(built)) await import(built.href)
  else {
    console.error(`Cannot run ${name}: it is not built. Run "npm ci && npm run build"`)
    process.exitCode = 1
  }
}

function tsxFor(bin) {
  try {
    createRequire(bin).resolve('tsx')
    return import.meta.resolve('tsx')
  } catch {
    return undefined
  }
}

/** Node takes the condition for the sources only at its start, so they run in a process of their own, which gets our signals. */
function runSources(name, source, tsx) {
  const options = ['--conditions=millrace-source', '--import', tsx]
  const args = [...options, source, ...process.argv.slice(2)]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  // Ctrl-C reaches the child from the terminal, too: two signals within a moment are one wish there.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`Cannot run ${name}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal]
  })
}
