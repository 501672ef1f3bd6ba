/** Every process serves its metrics where it is told to, says so, and says which port is in use. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { metricFaults, noPrometheus } from '../../../testing/promtool.ts'
import { runMain } from '../../../testing/processes.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { request } from '../stage/receiver-stage.ts'

async function stage(t: TestContext) {
  const server = await startRedis()
  t.after(() => server.stop())
  const redis = await server.client()
  await redis.send('XGROUP', 'CREATE', 'ncc:checkins', 'checkinConsumers', '0', 'MKSTREAM')
  const env = { REDIS_URL: server.url, LOG_FORMAT: 'json' }
  /** Runs it, and reads what it serves. */
  const serve = async (args: readonly string[], variables = {}) => {
    const main = runMain(args, { env: { ...env, ...variables } })
    t.after(() => main.kill('SIGKILL'))
    const line = await main.waitForLine(/Metrics are at http/)
    const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0] ?? ''
    const get = async (path: string) => await request(`${url}${path}`)
    const ready = async () => (await get('/readyz')).status === 200
    await waitFor(ready, { what: `${args[0]} to be ready`, timeoutMs: 60_000 })
    const { text } = await get('/metrics')
    if (noPrometheus === false) assert.equal(metricFaults(text), '')
    assert.match(text, /^millrace_build_info\{version="\d/m)
    assert.equal((await get('/livez')).status, 200)
    return { main, get, text }
  }
  return { env, redis, server, serve }
}

const port = ['--metrics-port', '0']

describe('--metrics-port', { concurrency: false }, () => {
  test('of a processor tells what it did; it is not ready while Redis is away', async (t) => {
    const { serve, redis, server } = await stage(t)
    const fields = ['userId', '1', 'locationId', '1', 'starRating', '5']
    for (let n = 0; n < 3; n += 1) await redis.send('XADD', 'ncc:checkins', '*', ...fields)
    const { get, main } = await serve(['group-processor', 'one'], { MILLRACE_METRICS_PORT: '0' })
    const done = /^millrace_processed_total\{[^}]+outcome="applied"\} 3$/m
    await waitFor(async () => done.test((await get('/metrics')).text), { what: 'three' })
    const { text } = await get('/metrics')
    assert.match(text, /^millrace_lease_left_seconds\{[^}]+\} [1-9]/m)
    assert.match(text, /^millrace_append_to_applied_seconds_count\{[^}]+\} [2-6]$/m)
    await server.kill9()
    await waitFor(async () => (await get('/readyz')).status === 503, { what: 'the outage' })
    assert.deepEqual((await get('/readyz')).json, {
      status: 'unavailable',
      reason: 'redis-unreachable',
    })
    main.kill('SIGKILL')
  })

  test('of the single processor, of a trimmer and of a generator', async (t) => {
    const { serve } = await stage(t)
    const receiver = await serve(['receiver', '--port', '0', ...port])
    const listening = await receiver.main.waitForLine(/Receiver listens on http/)
    const url = `${/http:\/\/[\d.]+:\d+/.exec(listening)?.[0] ?? ''}/api/checkin`
    assert.match(
      receiver.text,
      /^millrace_group_lag\{stream="ncc:checkins",group="checkinConsumers"\} \d/m,
    )
    const generator = await serve(['generator', '--url', url, '--rate', '50', ...port])
    const taken = /^checkin_generator_posts_total\{outcome="taken"\} [1-9]/m
    await waitFor(async () => taken.test((await generator.get('/metrics')).text), { what: 'posts' })
    const trimmer = await serve(['trim', '--every', '50ms', ...port])
    assert.match(
      trimmer.text,
      /^millrace_trim_runs_total\{stream="ncc:checkins",outcome="trimmed"\} [1-9]/m,
    )
    receiver.main.kill('SIGKILL')
    await waitFor(async () => (await generator.get('/readyz')).status === 503, { what: 'the end' })
    const alone = await serve(['processor', '--again', ...port])
    assert.match(alone.text, /^millrace_processed_total\{[^}]*group="checkinprocessor"/m)
  })

  test('of a receiver with workers tells the sum', async (t) => {
    const { serve } = await stage(t)
    const { main, get } = await serve(['receiver', '--port', '0', '--workers', '2', ...port])
    const line = await main.waitForLine(/Receiver listens on http/)
    const url = /listens on (http:\/\/[\d.]+:\d+)/.exec(line)?.[1] ?? ''
    const headers = { 'content-type': 'application/json', connection: 'close' }
    const body = JSON.stringify({ userId: 1, locationId: 1, starRating: 5 })
    for (let n = 0; n < 6; n += 1) {
      assert.equal(
        (await request(`${url}/api/checkin`, { method: 'POST', headers, body })).status,
        202,
      )
    }
    assert.match((await get('/metrics')).text, /^checkin_ingest_total\{outcome="accepted"\} 6$/m)
    main.kill('SIGTERM')
    assert.equal((await main.exited).code, 0)
  })

  test('that is in use, or none, ends the command with a message that names it', async (t) => {
    const { env } = await stage(t)
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    t.after(() => other.close())
    const taken = String((other.address() as AddressInfo).port)
    for (const args of [['group-processor', 'one'], ['receiver', '--port', '0'], ['generator']]) {
      const { code, stderr } = await runMain([...args, '--metrics-port', taken], { env }).exited
      assert.equal(code, 1, args[0])
      assert.match(
        stderr,
        new RegExp(
          `^error: Cannot serve metrics on 127.0.0.1, port ${taken}: the port is in use. Choose another port with --metrics-port or MILLRACE_METRICS_PORT\n`,
          'm',
        ),
      )
    }
    const wrong = { ...env, MILLRACE_METRICS_PORT: 'x' }
    const { code, stderr } = await runMain(['processor'], { env: wrong }).exited
    assert.equal(code, 2)
    assert.match(
      stderr,
      /Cannot use "x" as MILLRACE_METRICS_PORT: allowed is a port from 0 to 65535/,
    )
  })
})
