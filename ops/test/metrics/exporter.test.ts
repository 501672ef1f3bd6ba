/** `millrace exporter`: what Prometheus is told of groups of others and our own; bounded, never stale, and it changes nothing. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { metricFaults, noPrometheus } from '../../../testing/promtool.ts'
import { runOps, type MainProcess } from '../../../testing/processes.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

interface Exporting {
  readonly main: MainProcess
  readonly text: () => Promise<string>
  /** Of a series by its name and labels; undefined: it is missing. */
  readonly value: (series: string) => Promise<number | undefined>
  readonly get: (path: string, init?: RequestInit) => Promise<Response>
}

async function exporting(t: TestContext, url: string, ...args: string[]): Promise<Exporting> {
  const main = runOps(['exporter', '--port', '0', ...args], { env: { REDIS_URL: url } })
  t.after(() => main.kill('SIGKILL'))
  const line = await main.waitForLine(/Metrics are at http:\S+\/metrics\.$/)
  const at = /http:\S+(?=\/metrics\.$)/.exec(line)?.[0] ?? ''
  const get = (path: string, init?: RequestInit) => fetch(`${at}${path}`, init)
  const text = async () => await (await get('/metrics')).text()
  const value = async (series: string): Promise<number | undefined> => {
    const found = (await text()).split('\n').find((one) => one.startsWith(`${series} `))
    return found === undefined ? undefined : Number(found.slice(series.length + 1))
  }
  return { main, text, value, get }
}

describe('millrace exporter', { concurrency: false }, () => {
  const stage = new OperatorStage()

  test('tells of a group of others, by lines that promtool takes, and changes nothing', async (t) => {
    await stage.foreign('orders', { entries: 5, held: 2 })
    await stage.foreign('o"d\\d {key}', { entries: 1 })
    const before = await stage.redis.send('KEYS', '*')
    const { text, get, main } = await exporting(t, stage.url, '--per-consumer')
    const lines = (await text()).split('\n')
    const at = 'stream="orders",group="billing"'
    for (const line of [
      'millrace_redis_up 1',
      'millrace_writes_refused 0',
      'millrace_stream_length{stream="orders"} 5',
      'millrace_stream_length{stream="o\\"d\\\\d {key}"} 1',
      'millrace_stream_entries_added_total{stream="orders"} 5',
      `millrace_group_lag{${at}} 3`,
      `millrace_group_lag_unknown{${at}} 0`,
      `millrace_group_pending{${at}} 2`,
      `millrace_group_managed{${at}} 0`,
      `millrace_group_paused{${at}} 0`,
      `millrace_group_consumers{${at},state="no-lease"} 1`,
      `millrace_consumer_pending{${at},consumer="worker-1"} 2`,
      'millrace_snapshot_left_out{kind="groups"} 0',
    ]) {
      assert.ok(lines.includes(line), line)
    }
    // Ids that tell no time.
    assert.ok(!lines.some((line) => line.startsWith(`millrace_group_lag_seconds{${at}}`)))
    if (noPrometheus === false) assert.equal(metricFaults(lines.join('\n')), '')
    assert.equal((await get('/readyz')).status, 200)
    assert.equal((await get('/livez')).status, 200)
    assert.equal((await get('/other')).status, 404)
    const posted = await get('/metrics', { method: 'POST' })
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
    assert.equal(await (await get('/metrics', { method: 'HEAD' })).text(), '')
    assert.deepEqual(await stage.redis.send('KEYS', '*'), before)
    main.kill('SIGTERM')
    assert.equal((await main.exited).code, 0)
  })

  test('names no consumer unasked, and no more streams and groups than it may', async (t) => {
    for (const key of ['a', 'b', 'c']) await stage.foreign(`bound:${key}`, { held: 1 })
    const streams = ['--stream', 'bound:a', 'bound:b', 'bound:c']
    const bounds = ['--streams-max', '2', '--groups-max', '1']
    const { text } = await exporting(t, stage.url, ...streams, ...bounds)
    const all = await text()
    assert.doesNotMatch(all, /consumer=/)
    assert.equal(all.match(/^millrace_stream_length\{/gm)?.length, 2)
    assert.equal(all.match(/^millrace_group_lag\{/gm)?.length, 1)
    assert.match(all, /^millrace_snapshot_left_out\{kind="streams"\} 1$/m)
    assert.match(all, /^millrace_snapshot_left_out\{kind="groups"\} 2$/m)
  })

  test('asks once a second, however often it is asked', async (t) => {
    await stage.foreign('often', { held: 1 })
    const { text } = await exporting(t, stage.url, '--stream', 'often')
    const looks = async (): Promise<number> => {
      const stats = String(await stage.redis.send('INFO', 'commandstats'))
      return Number(/^cmdstat_xinfo\|groups:calls=(\d+)/m.exec(stats)?.[1] ?? 0)
    }
    await text()
    const [before, since] = [await looks(), performance.now()]
    await Promise.all(Array.from({ length: 200 }, () => text()))
    const seconds = Math.ceil((performance.now() - since) / 1000)
    assert.ok((await looks()) - before <= seconds, 'a look a second')
  })

  test('says that Redis is away, tells nothing old, and goes on when it is back', async (t) => {
    const server = await startRedis()
    t.after(() => server.stop())
    const redis = await server.client()
    await redis.send('XGROUP', 'CREATE', 's', 'g', '0', 'MKSTREAM')
    const { value, get, text } = await exporting(t, server.url)
    const lag = 'millrace_group_lag{stream="s",group="g"}'
    assert.equal(await value(lag), 0)
    await redis.send('CONFIG', 'SET', 'maxmemory', '1')
    await waitFor(async () => (await value('millrace_writes_refused')) === 1, {
      what: 'a full server',
    })
    await server.kill9()
    await waitFor(async () => (await value('millrace_redis_up')) === 0, { what: 'the outage' })
    assert.equal(await value(lag), undefined)
    assert.equal(await value('millrace_writes_refused'), undefined)
    assert.equal((await get('/readyz')).status, 503)
    assert.equal((await get('/livez')).status, 200)
    assert.ok(Number(await value('millrace_snapshot_age_seconds')) > 0)
    if (noPrometheus === false) assert.equal(metricFaults(await text()), '')
    await server.restart()
    await waitFor(async () => (await value('millrace_redis_up')) === 1, { what: 'the end of it' })
  })

  test('waits for a server that is not there yet', async (t) => {
    const server = await startRedis()
    t.after(() => server.stop())
    await server.kill9()
    const { main, value, get } = await exporting(t, server.url)
    await main.waitForLine(/Cannot connect to .*Trying again\.$/)
    assert.equal(await value('millrace_redis_up'), 0)
    assert.equal((await get('/readyz')).status, 503)
    await server.restart()
    await waitFor(async () => (await value('millrace_redis_up')) === 1, { what: 'the connection' })
    main.kill('SIGTERM')
    assert.equal((await main.exited).code, 0)
  })

  test('says which port is in use, and which address there is not', async (t) => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    t.after(() => other.close())
    const { port } = other.address() as AddressInfo
    const taken = await stage.run('exporter', '--port', String(port))
    assert.equal(taken.code, 1)
    const action = `error: Cannot serve metrics on 127.0.0.1, port ${port}`
    assert.equal(taken.stderr, `${action}: the port is in use. Choose another port with --port\n`)
    const nowhere = await stage.run('exporter', '--port', '0', '--host', '203.0.113.1')
    assert.match(
      nowhere.stderr,
      /this machine has no such address\. Choose another one with --host\n$/,
    )
  })
})
