/** Several processes behind one port: `--workers`. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test, type TestContext } from 'node:test'
import { runMain, type MainProcess } from '../../../../testing/processes.ts'
import { startRedis, type TestServer } from '../../../../testing/redis-servers.ts'
import { waitFor } from '../../../../testing/wait-for.ts'
import { request, valid } from '../../stage/receiver-stage.ts'

const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(valid),
}

/** On a connection of its own, which goes to the next worker. */
const alone = { headers: { connection: 'close' } }
const initAlone = { ...init, headers: { ...init.headers, ...alone.headers } }

interface Started {
  readonly server: TestServer
  readonly main: MainProcess
  readonly url: string
  /** Posts one check-in after the other, each on a connection of its own, until so many are taken. */
  readonly post: (count: number) => Promise<void>
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
  t.after(() => main.kill('SIGKILL'))
  await waitFor(() => main.stdout.split('Receiver listens on').length > workers, {
    what: 'all workers to listen',
    timeoutMs: 60_000,
  })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(main.stdout)?.[0] ?? ''
  const post = async (count: number): Promise<void> => {
    for (let taken = 0; taken < count;) {
      const { status, text } = await request(`${url}/api/checkin`, initAlone)
      if (status === 202) taken += 1
      // On a busy machine a worker that has just begun is behind, and says so.
      else assert.equal(status, 503, text)
    }
  }
  return {
    server,
    main,
    url,
    post,
    metrics: async () => (await request(`${url}/metrics`, alone)).text,
  }
}

function sum(text: string, pattern: RegExp): number {
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)
}

/** The process ids of the workers. */
function workersOf({ pid }: MainProcess): number[] {
  return execFileSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)
}

const answered = /^checkin_http_request_duration_seconds_count\{.*\/api\/checkin".*"202"/
const accepted = /^checkin_ingest_total\{outcome="accepted"\}/

/** Waits until so many check-ins are told: on a busy machine a worker may not tell in time, and has not told before. */
async function toTell(metrics: Started['metrics'], count: number): Promise<string> {
  return await waitFor(
    async () => {
      const text = await metrics()
      return sum(text, accepted) === count && text
    },
    { what: `${count} check-ins to be told` },
  )
}

test('workers share the port and are counted together; one that dies is replaced', async (t) => {
  const { server, main, post, metrics } = await started(t, 2)
  await post(20)
  const text = await toTell(metrics, 20)
  // A gauge is the same in each; it is not added up.
  assert.equal(sum(text, /^checkin_stream_length/), 20)

  const redis = await server.client()
  const list = String(await redis.send('CLIENT', 'LIST'))
  assert.ok(list.split('name=millrace ').length > 2, 'each has a connection of its own')
  process.kill(workersOf(main)[0] ?? 0, 'SIGKILL')
  await main.waitForLine(/Worker \d \(process \d+\) ended with SIGKILL\. Starting another one\./)
  await waitFor(() => main.stdout.split('Receiver listens on').length > 3, {
    what: 'another worker to listen',
    timeoutMs: 60_000,
  })
  await post(1)
  // What the dead one had counted stays.
  const after = await toTell(metrics, 21)
  assert.equal(sum(after, answered), 21)
  assert.equal(sum(after, /^checkin_stream_length/), 21)
  main.kill('SIGTERM')
  assert.equal((await main.exited).code, 0)
})

test('workers that are too busy to tell are counted as they told last', async (t) => {
  const { main, post, metrics } = await started(t, 2)
  await post(10)
  await toTell(metrics, 10)
  // One that is stopped takes one connection at most, which waits.
  for (const pid of workersOf(main)) {
    process.kill(pid, 'SIGSTOP')
    const text = await Promise.race([metrics(), metrics()])
    process.kill(pid, 'SIGCONT')
    assert.equal(sum(text, accepted), 10)
  }
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
