import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { runMain } from '../../../testing/processes.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { request, valid } from '../stage/receiver-stage.ts'

test('the command says where it listens and ends in order on SIGTERM', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const main = runMain(['checkinreceiver', '--port', '0', '--grace', '500ms'], {
    env: { REDIS_URL: server.url },
  })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await main.waitForLine(/listens on/))?.[0] ?? ''
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(valid)
  assert.equal((await request(`${url}/api/checkin`, { method: 'POST', headers, body })).status, 202)
  main.kill('SIGTERM')
  assert.equal((await main.exited).code, 0)
})

/** Clients that post until they cannot any more, each over one kept connection, each check-in for a user of its own. */
class Load {
  /** Users whose check-in was answered with 202. */
  readonly taken = new Set<number>()
  /** How each client ended; `isKept`: on a connection that had served it before. */
  readonly endings: { code: string | undefined; isKept: boolean }[] = []
  readonly #url: string
  #users = 0

  constructor(url: string) {
    this.#url = url
  }

  async client(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    while (await this.#post(agent));
    agent.destroy()
  }

  /** @returns false when there was no answer. */
  #post(agent: Agent): Promise<boolean> {
    const user = (this.#users += 1)
    const headers = { 'content-type': 'application/json' }
    return new Promise((resolve, reject) => {
      const sent = httpRequest(`${this.#url}/api/checkin`, { method: 'POST', agent, headers })
      const failed = (error: Error & { code?: string }): void => {
        this.endings.push({ code: error.code, isKept: sent.reusedSocket })
        resolve(false)
      }
      sent.on('error', failed).on('response', (answer) => {
        if (answer.statusCode !== 202) reject(new Error(`Answered with ${answer.statusCode}`))
        this.taken.add(user)
        answer
          .on('error', failed)
          .on('end', () => resolve(true))
          .resume()
      })
      sent.end(JSON.stringify({ ...valid, userId: user }))
    })
  }
}

function wasReset(code: string | undefined): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE'
}

test('the command under load gives no 202 without an entry when it is stopped', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const main = runMain(['checkinreceiver', '--port', '0', '--grace', '500ms'], {
    env: { REDIS_URL: server.url },
  })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await main.waitForLine(/listens on/))?.[0] ?? ''
  const load = new Load(url)
  const clients = Array.from({ length: 8 }, () => load.client())
  await waitFor(() => load.taken.size > 200, { what: '200 check-ins' })
  const toldAt = performance.now()
  main.kill('SIGTERM')
  assert.equal((await main.exited).code, 0)
  const tookMs = performance.now() - toldAt
  assert.ok(tookMs < 10_000, `ended after ${tookMs} ms`)
  await Promise.all(clients)
  // A connection that was served before ends with an answer that says so. A new one may find the door closed, or have been
  // made by the system and never taken by the receiver, when it closes: that is a reset.
  assert.deepEqual(
    load.endings.filter(
      ({ code, isKept }) => code !== 'ECONNREFUSED' && (isKept || !wasReset(code)),
    ),
    [],
  )
  // Each check-in has a user of its own: a 202 has its entry, and what has no answer has none.
  const entries = (await (await server.client()).send('XRANGE', 'ncc:checkins', '-', '+')) as [
    string,
    string[],
  ][]
  const users = entries.map(([, fields]) => Number(fields[fields.indexOf('userId') + 1]))
  assert.deepEqual(new Set(users), load.taken)
  assert.equal(users.length, load.taken.size)
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
