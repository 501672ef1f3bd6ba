/**
 * Runs the engine's example in a folder where the packed engine is installed, against a redis-server of its own on a
 * free loopback port: `node scripts/run-example.mjs FOLDER`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onPath } from './on-path.mjs'

const folder = resolve(process.argv[2] ?? '.')
const example = fileURLToPath(new URL('../engine/examples/visits.mjs', import.meta.url))
copyFileSync(example, join(folder, 'visits.mjs'))

const binary = onPath('redis-server') ?? onPath('valkey-server')
if (binary === undefined) throw new Error('No redis-server found. Install one with "npm run setup"')
const port = await freePort()
const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
const server = spawn(binary, options, { stdio: ['ignore', 'pipe', 'inherit'] })
try {
  await untilReady(server)
  const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${port}` }
  const run = spawn(process.execPath, ['visits.mjs'], { cwd: folder, env, stdio: 'inherit' })
  const [code] = await once(run, 'exit')
  process.exitCode = code ?? 1
} finally {
  server.kill('SIGTERM')
}

function untilReady({ stdout }) {
  return new Promise((ready) => {
    stdout.on('data', (chunk) => {
      if (String(chunk).includes('Ready to accept connections')) ready()
    })
  })
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port: free } = probe.address()
  probe.close()
  await once(probe, 'close')
  return free
}
