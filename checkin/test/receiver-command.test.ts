import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { runMain } from '../../testing/processes.ts'
import { startRedis } from '../../testing/redis-servers.ts'
import { waitFor } from '../../testing/wait-for.ts'
import { request, valid } from './receiver-stage.ts'

test('the command says where it listens and ends in order on SIGTERM', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const main = runMain(['checkinreceiver', '--port', '0'], { env: { REDIS_URL: server.url } })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await main.waitForLine(/listens on/))?.[0] ?? ''
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(valid)
  assert.equal((await request(`${url}/api/checkin`, { method: 'POST', headers, body })).status, 202)
  main.kill('SIGTERM')
  assert.equal((await main.exited).code, 0)
})

test('the command under load gives no 202 without an entry when it is stopped', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const main = runMain(['checkinreceiver', '--port', '0'], { env: { REDIS_URL: server.url } })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await main.waitForLine(/listens on/))?.[0] ?? ''
  const body = JSON.stringify(valid)
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  let taken = 0
  const endings: unknown[] = []
  const client = async (): Promise<void> => {
    for (;;) {
      const answer = await request(`${url}/api/checkin`, init).catch((error: unknown) => {
        endings.push(((error as Error).cause as { code?: string } | undefined)?.code)
      })
      if (answer === undefined) return
      assert.equal(answer.status, 202, answer.text)
      taken += 1
    }
  }
  const clients = Array.from({ length: 8 }, client)
  await waitFor(() => taken > 200, { what: '200 check-ins' })
  main.kill('SIGTERM')
  assert.equal((await main.exited).code, 0)
  await Promise.all(clients)
  // A connection that was made was served: the next one could not be made any more.
  assert.deepEqual(new Set(endings), new Set(['ECONNREFUSED']))
  const entries = Number(await (await server.client()).send('XLEN', 'ncc:checkins'))
  // One connection each may have been closed between the confirmation and its answer.
  assert.ok(entries >= taken && entries <= taken + clients.length, `${entries} for ${taken}`)
})

test('the command refuses a port in use, a host that is not there, and wrong flags', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const port = String((taken.address() as AddressInfo).port)
  const run = async (
    args: string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number | null; stderr: string }> =>
    runMain(['checkinreceiver', ...args], { env: { REDIS_URL: server.url, ...env } }).exited
  const [inUse, noHost, wrongPort, wrongFlag, wrongEnv] = await Promise.all([
    run(['--port', port]),
    run(['--port', '0', '--host', '192.0.2.1', '--insecure']),
    run(['--port', '99999']),
    run(['--nonsense']),
    run([], { CHECKIN_RECEIVER_PORT: '80a' }),
  ])
  assert.equal(inUse.code, 1)
  assert.match(inUse.stderr, new RegExp(`Cannot listen on 127.0.0.1, port ${port}: the port is in`))
  assert.equal(noHost.code, 1)
  assert.match(noHost.stderr, /no such address\. Choose another one with --host/)
  assert.equal(wrongPort.code, 2)
  assert.match(wrongPort.stderr, /Allowed is a port from 0 to 65535/)
  assert.equal(wrongFlag.code, 2)
  assert.equal(wrongEnv.code, 2)
  assert.match(wrongEnv.stderr, /"80a" as CHECKIN_RECEIVER_PORT/)
})
