/** The receiver holds back while there is too much pressure, and goes on by itself. */
import assert from 'node:assert/strict'
import { Agent, request as httpRequest } from 'node:http'
import { test, type TestContext } from 'node:test'
import { connect, Pressure, type PressureLimits } from 'millrace'
import { freshPrefix, onOldestAndNewest, type Bench } from '../../../../testing/on-each-server.ts'
import { runMain } from '../../../../testing/processes.ts'
import { startRedis } from '../../../../testing/redis-servers.ts'
import { waitFor } from '../../../../testing/wait-for.ts'
import { checkinModel } from '../../../src/domain/checkins.ts'
import { logPressure } from '../../../src/receiver/limits/overload.ts'
import { createReceiver } from '../../../src/receiver/receiver.ts'
import { collectingLog, request, valid, type Answer } from '../../stage/receiver-stage.ts'

interface Pressed {
  readonly key: string
  readonly lines: readonly string[]
  readonly pressure: Pressure
  readonly post: (body?: string) => Promise<Answer>
  readonly get: (path: string) => Promise<Answer>
}

/** A receiver with these limits, the others off, and a stream with its group. It samples every second, as it does. */
async function pressed(
  t: TestContext,
  { millrace, redis }: Bench,
  limits: PressureLimits,
): Promise<Pressed> {
  const model = checkinModel(freshPrefix())
  const { key } = model.checkins
  await redis.send('XGROUP', 'CREATE', key, 'checkinConsumers', '0', 'MKSTREAM')
  const { log, lines } = collectingLog()
  const off = { backlogMax: 0, memoryShareMax: 0, eventLoopDelayMaxMs: 0 }
  const options = { ...off, ...limits, onChange: logPressure(log) }
  const pressure = new Pressure(millrace, model.checkins, options)
  const group = millrace.group(model.checkins, 'checkinConsumers')
  const receiver = createReceiver({ millrace, model, group, log, pressure })
  const url = await receiver.listen({ host: '127.0.0.1', port: 0 })
  const sampling = pressure.run()
  t.after(async () => {
    await receiver.close()
    await pressure.stop()
    await sampling
  })
  const headers = { 'content-type': 'application/json' }
  return {
    key,
    lines,
    pressure,
    post: (body = JSON.stringify(valid)) =>
      request(`${url}/api/checkin`, { method: 'POST', headers, body }),
    get: (path) => request(`${url}${path}`),
  }
}

async function untilRefused({ post }: Pressed): Promise<Answer> {
  const refused = async (): Promise<Answer | undefined> => {
    const answer = await post()
    return answer.status === 202 ? undefined : answer
  }
  return await waitFor(refused, { what: 'a check-in to be refused' })
}

/** The time that a receiver may take to go on once the cause is gone. */
const within5s = { what: 'a check-in to be taken again', timeoutMs: 5000, everyMs: 50 }

async function untilTaken({ post }: Pressed): Promise<void> {
  await waitFor(async () => (await post()).status === 202, within5s)
}

onOldestAndNewest(
  'receiver under pressure',
  (bench) => {
    const length = (key: string) => bench().redis.send('XLEN', key)

    test('answers 429 while the backlog is too long, appends nothing, and goes on', async (t) => {
      const stage = await pressed(t, bench(), { backlogMax: 10 })
      const { key, post, get, lines } = stage
      const { redis } = bench()
      const answer = await untilRefused(stage)
      assert.equal(answer.status, 429)
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
      assert.match(answer.headers.get('retry-after') ?? '', /^[234]$/)
      assert.deepEqual(answer.json, {
        type: '/problems/backlog',
        title: 'Too many check-ins',
        status: 429,
        requestId: answer.headers.get('x-request-id'),
        detail: 'Too many check-ins wait to be processed. The check-in was not recorded',
      })
      const before = Number(await length(key))
      const retryAfter = new Set<string | null>()
      for (let n = 0; n < 30; n += 1) {
        const { status, headers } = await post()
        assert.equal(status, 429)
        retryAfter.add(headers.get('retry-after'))
      }
      assert.ok(retryAfter.size > 1, 'clients are told different times')
      assert.equal(await length(key), before)
      // Looking is still allowed, and so is a body that is no check-in.
      const health = await get('/health')
      const { status, reason } = health.json as Record<string, unknown>
      assert.deepEqual([health.status, status, reason], [503, 'refusing', 'backlog'])
      const ready = await get('/readyz')
      assert.deepEqual([ready.status, ready.json], [200, { status: 'refusing', reason: 'backlog' }])
      assert.equal((await get('/api/checkins/latest')).status, 200)
      assert.equal((await post('no JSON')).status, 429)
      const read = ['XREADGROUP', 'GROUP', 'checkinConsumers', 'ada', 'COUNT', before]
      const [[, entries] = []] = (await redis.send(...read, 'STREAMS', key, '>')) as [
        string,
        [string][],
      ][]
      await redis.send('XACK', key, 'checkinConsumers', ...(entries ?? []).map(([id]) => id))
      await untilTaken(stage)
      const said = lines.filter((line) => /^Answering with 429|Pressure is over/.test(line))
      assert.equal(said.length, 2)
      assert.match(said[0] ?? '', /^Answering with 429: \d+ check-ins wait to be processed\.$/)
      assert.equal(said[1], 'Pressure is over: taking check-ins again.')
      assert.equal((await get('/health')).status, 200)
      assert.deepEqual((await get('/readyz')).json, { status: 'ready' })
    })

    test('answers 503 while memory is short, before the server is full', async (t) => {
      const stage = await pressed(t, bench(), { memoryShareMax: 0.8 })
      const { redis } = bench()
      const info = String(await redis.send('INFO', 'memory'))
      const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1])
      t.after(() => redis.send('CONFIG', 'SET', 'maxmemory', 0))
      await redis.send('CONFIG', 'SET', 'maxmemory', Math.round(used * 1.15))
      const answer = await untilRefused(stage)
      assert.equal(answer.status, 503)
      assert.equal(answer.json?.type, '/problems/unavailable')
      assert.equal(
        answer.json.detail,
        'The store is nearly full. The check-in was not recorded',
        'the server itself has refused nothing',
      )
      assert.match(answer.headers.get('retry-after') ?? '', /^[234]$/)
      await redis.send('CONFIG', 'SET', 'maxmemory', 0)
      await untilTaken(stage)
    })

    test('answers 503 while this process is behind', async (t) => {
      const stage = await pressed(t, bench(), { eventLoopDelayMaxMs: 200 })
      const { pressure } = stage
      const blockedUntil = performance.now() + 500
      while (performance.now() < blockedUntil);
      await waitFor(() => pressure.state.kind === 'overloaded', { what: 'the delay to be seen' })
      const answer = await stage.post()
      assert.equal(answer.status, 503)
      assert.match(answer.json?.detail ?? '', /more to do than it can/)
      await untilTaken(stage)
    })
  },
  { concurrency: false },
)

interface Question {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
  readonly status: number
}

/** @returns the time (ms) to the end of the answer. */
function answeredInMs(url: string, agent: Agent, question: Question): Promise<number> {
  const { method, path, body, status } = question
  const sentAt = performance.now()
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${url}${path}`, { method, agent, headers }, (answer) => {
      answer.resume().on('end', () => {
        if (answer.statusCode === status) resolve(performance.now() - sentAt)
        else reject(new Error(`Answered with ${answer.statusCode}`))
      })
    })
    sent.on('error', reject).end(body)
  })
}

test('under pressure many refusals at once are answered about as fast as a ping', async (t) => {
  const server = await startRedis()
  const millrace = await connect({ url: server.url })
  t.after(async () => {
    server.resume()
    await millrace.close()
    await server.stop()
  })
  const model = checkinModel(freshPrefix())
  const { log } = collectingLog()
  const pressure = {
    state: { kind: 'overloaded', reason: 'memory', retryAfterMs: 1000 },
  } as const
  const group = millrace.group(model.checkins, 'checkinConsumers')
  const receiver = createReceiver({ millrace, model, group, log, pressure })
  const url = await receiver.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => receiver.close())
  // Shedding needs no answer of Redis: here it cannot give one.
  server.pause()
  const ping: Question = { method: 'GET', path: '/livez', status: 200 }
  const refusal: Question = {
    method: 'POST',
    path: '/api/checkin',
    body: JSON.stringify(valid),
    status: 503,
  }
  const [pings, refusals]: [number[], number[]] = [[], []]
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let n = 0; n < 20; n += 1) {
      pings.push(await answeredInMs(url, agent, ping))
      refusals.push(await answeredInMs(url, agent, refusal))
    }
    agent.destroy()
  }
  await Promise.all(Array.from({ length: 50 }, client))
  const told = `medians: ping ${median(pings).toFixed(1)} ms, 503 ${median(refusals).toFixed(1)} ms`
  t.diagnostic(told)
  assert.equal(refusals.length, 1000)
  // Measured against each other, as the machine may be busy otherwise.
  assert.ok(median(refusals) < 5 * median(pings) + 10, told)
})

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Infinity
}

test('the command holds back at the backlog that it was told, or never', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const redis = await server.client()
  await redis.send('XGROUP', 'CREATE', 'ncc:checkins', 'checkinConsumers', '0', 'MKSTREAM')
  for (let n = 1; n <= 5; n += 1) await redis.send('XADD', 'ncc:checkins', `${n}-0`, 'a', 'b')
  const started = async (max: string) => {
    const args = ['checkinreceiver', '--port', '0', '--grace', '0ms', '--backlog-max', max]
    const main = runMain(args, { env: { REDIS_URL: server.url } })
    const line = await main.waitForLine(/listens on/)
    return { main, url: /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '' }
  }
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(valid),
  }
  const strict = await started('4')
  await strict.main.waitForLine(/Answering with 429: 5 check-ins wait to be processed\./)
  assert.equal((await request(`${strict.url}/api/checkin`, init)).status, 429)
  const open = await started('0')
  assert.equal((await request(`${open.url}/api/checkin`, init)).status, 202)
  for (const { main } of [strict, open]) main.kill('SIGTERM')
  assert.deepEqual([(await strict.main.exited).code, (await open.main.exited).code], [0, 0])
  const wrong = await runMain(['checkinreceiver', '--memory-max', '101']).exited
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /Allowed is an integer from 0 to 100\./)
})
