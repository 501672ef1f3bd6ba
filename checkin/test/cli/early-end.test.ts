/** SIGTERM while a command is being started is an orderly end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { runMain, type Ended } from '../../../testing/processes.ts'
import { within } from '../../../testing/wait-for.ts'

/** Runs a command on a server that takes connections and never answers, and ends it as soon as it connects. */
async function endedWhileConnecting(t: TestContext, args: readonly string[]): Promise<Ended> {
  const silent = createServer((socket) => socket.on('error', () => undefined)).listen(
    0,
    '127.0.0.1',
  )
  t.after(() => silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const main = runMain(args, { env: { REDIS_URL: `redis://127.0.0.1:${port}` } })
  await within(once(silent, 'connection'), {
    what: `${args.join(' ')} to connect`,
    timeoutMs: 60_000,
  })
  main.kill('SIGTERM')
  return await main.exited
}

const endless: readonly (readonly string[])[] = [
  ['checkinreceiver', '--port', '0'],
  ['checkinreceiver', '--port', '0', '--workers', '2'],
  ['checkinprocessor'],
  ['checkingroupprocessor', 'consumer1'],
]

for (const args of endless) {
  test(`${args.join(' ')} ends with 0 on SIGTERM while it is being started`, async (t) => {
    const { code, stderr } = await endedWhileConnecting(t, args)
    assert.equal(code, 0, stderr)
  })
}

test('a command that has an end is broken off by SIGTERM, and does not say that it is done', async (t) => {
  assert.equal((await endedWhileConnecting(t, ['load'])).signal, 'SIGTERM')
})

/** Runs a command that gets a SIGTERM when it begins to load a module. */
async function endedWhileLoading(args: readonly string[], module: string): Promise<Ended> {
  const preloaded = new URL('../../../testing/signal-at-import.mjs', import.meta.url).href
  // Nothing listens there.
  const env = { REDIS_URL: 'redis://127.0.0.1:1', NODE_OPTIONS: `--import ${preloaded}` }
  return await runMain(args, { env: { ...env, SIGNAL_AT: module } }).exited
}

const modules: Readonly<Record<string, readonly string[]>> = {
  start: ['./cli/run.js', 'commander', './start.js'],
  checkinreceiver: ['./cli/run.js', 'commander', './checkinreceiver.js', 'fastify'],
  receiver: ['commander'],
  checkinprocessor: ['commander', './checkinprocessor.js'],
  processor: ['commander'],
  'group-processor': ['commander', './group-processor.js'],
  checkingroupprocessor: ['commander', './checkingroupprocessor.js'],
  checkingenerator: ['commander', './checkingenerator.js'],
  generator: ['commander'],
}

for (const [name, moments] of Object.entries(modules)) {
  test(`${name} ends with 0 on SIGTERM while it is being loaded`, async () => {
    for (const module of moments) {
      const { code, stderr } = await endedWhileLoading([name], module)
      assert.equal(code, 0, `at ${module}: ${stderr}`)
    }
  })
}
