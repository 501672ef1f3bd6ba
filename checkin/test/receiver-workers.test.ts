/** Several processes behind one port: `--workers`. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { runMain, type MainProcess } from '../../testing/processes.ts'
import { startRedis, type TestServer } from '../../testing/redis-servers.ts'
import { waitFor } from '../../testing/wait-for.ts'
import { request, valid } from './receiver-stage.ts'

const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(valid),
}

interface Started {
  readonly server: TestServer
  readonly main: MainProcess
  readonly url: string
  /** Reads the metrics of all workers. */
  readonly metrics: () => Promise<string>
}

async function started(t: TestContext, workers: number): Promise<Started> {
  const server = await startRedis()
  t.after(() => server.stop())
  const env = { REDIS_URL: server.url, LOG_FORMAT: 'json' }
  const main = runMain(
    ['checkinreceiver', '--port', '0', '--grace', '500ms', '--workers', String(workers)],
    { env },
  )
  await waitFor(() => main.stdout.split('Receiver listens on').length > workers, {
    what: 'all workers to listen',
    timeoutMs: 30_000,
  })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(main.stdout)?.[0] ?? ''
  return { server, main, url, metrics: async () => (await request(`${url}/metrics`)).text }
}

function sum(text: string, pattern: RegExp): number {
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)
}

const accepted = /^checkin_ingest_total\{outcome="accepted"\}/

test('workers share the port and are counted together; one that dies is replaced', async (t) => {
  const { server, main, url, metrics } = await started(t, 2)
  // A connection each, so that both workers get some.
  const post = async (): Promise<number> =>
    (
      await request(`${url}/api/checkin`, {
        ...init,
        headers: { ...init.headers, connection: 'close' },
      })
    ).status
  for (let n = 1; n <= 20; n += 1) assert.equal(await post(), 202)
  const text = await metrics()
  assert.equal(sum(text, accepted), 20)
  // A gauge is the same in each; it is not added up.
  assert.equal(sum(text, /^checkin_stream_length/), 20)

  const redis = await server.client()
  const list = String(await redis.send('CLIENT', 'LIST'))
  assert.ok(list.split('name=millrace ').length > 2, 'each has a connection of its own')
  const { execFileSync } = await import('node:child_process')
  const pids = execFileSync('pgrep', ['-P', String(main.pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
  process.kill(Number(pids[0]), 'SIGKILL')
  await main.waitForLine(/Worker \d \(process \d+\) ended with SIGKILL\. Starting another one\./)
  await waitFor(() => main.stdout.split('Receiver listens on').length > 3, {
    what: 'another worker to listen',
    timeoutMs: 30_000,
  })
  assert.equal(await post(), 202)
  main.kill('SIGTERM')
  assert.equal((await main.exited).code, 0)
})

test('workers under load give no 202 without an entry when they are stopped, and end within 10 s', async (t) => {
  const { server, main, url } = await started(t, 2)
  let taken = 0
  const client = async (): Promise<void> => {
    for (;;) {
      const answer = await request(`${url}/api/checkin`, init).catch(() => undefined)
      if (answer === undefined) return
      assert.equal(answer.status, 202, answer.text)
      taken += 1
    }
  }
  const clients = Array.from({ length: 8 }, client)
  await waitFor(() => taken > 200, { what: '200 check-ins' })
  const askedAt = performance.now()
  main.kill('SIGTERM')
  assert.equal((await main.exited).code, 0)
  assert.ok(performance.now() - askedAt < 10_000)
  await Promise.all(clients)
  const entries = Number(await (await server.client()).send('XLEN', 'ncc:checkins'))
  assert.ok(entries >= taken && entries <= taken + clients.length, `${entries} for ${taken}`)
})

test('workers that cannot start end the command with their error', async (t) => {
  const { main, url, server } = await started(t, 2)
  const port = new URL(url).port
  const env = { REDIS_URL: server.url }
  const second = runMain(['checkinreceiver', '--port', port, '--workers', '2'], { env })
  const { code, stderr } = await second.exited
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(`Cannot listen on 127.0.0.1, port ${port}: the port is in use`))
  main.kill('SIGTERM')
  await main.exited
})
