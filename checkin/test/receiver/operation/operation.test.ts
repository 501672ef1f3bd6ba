/** What supervisors, monitoring and developers see of a receiver. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis } from '../../../../testing/redis-servers.ts'
import { waitFor } from '../../../../testing/wait-for.ts'
import { runMain } from '../../../../testing/processes.ts'
import { traceFields } from '../../../src/receiver/traces/trace-fields.ts'
import { receiverStage, request, valid } from '../../stage/receiver-stage.ts'

const json = { 'content-type': 'application/json' }

test('health names the durability mode of the store', async (t) => {
  for (const [appendonly, mode] of [
    ['no', 'none'],
    ['everysec', 'everysec'],
    ['always', 'always'],
  ] as const) {
    const { get } = await receiverStage(t, { redis: { appendonly } })
    const { json: body } = await get('/health')
    assert.deepEqual(body, { status: 'ok', redis: 'reachable', durability: mode, waitReplicas: 0 })
  }
})

test('health falls back where the server does not tell its settings', async (t) => {
  const denied: Record<string, string[]> = { aof: ['-config'], unknown: ['-config', '-info'] }
  for (const [mode, rights] of Object.entries(denied)) {
    const { get, redis } = await receiverStage(t, { redis: { appendonly: 'everysec' } })
    await redis.send('ACL', 'SETUSER', 'default', ...rights)
    const { json: body } = await get('/health')
    assert.deepEqual(body, { status: 'ok', redis: 'reachable', durability: mode, waitReplicas: 0 })
  }
})

test('readiness follows Redis and the wish to end; liveness does not', async (t) => {
  const stage = await receiverStage(t, { bounds: { withinMs: 100 }, graceMs: 2000 })
  const { get, server, receiver, post } = stage
  assert.equal((await get('/readyz')).status, 200)
  server.pause()
  assert.equal((await get('/readyz')).status, 503)
  assert.equal((await get('/livez')).status, 200)
  server.resume()
  await waitFor(async () => (await get('/readyz')).status === 200, { what: 'Redis to be back' })
  const closed = receiver.close()
  const closing = await get('/readyz')
  assert.equal(closing.status, 503)
  assert.deepEqual(closing.json, { status: 'closing' })
  assert.equal((await get('/livez')).status, 200)
  // For a while it is served as before, on connections that are kept.
  const late = await post(valid)
  assert.equal(late.status, 202)
  assert.equal(late.headers.get('connection'), 'keep-alive')
  await closed
  await assert.rejects(post(valid))
})

function metric(text: string, name: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length + 1))
}

test('metrics count requests by route and status, and check-ins by outcome', async (t) => {
  const { get, post, redis } = await receiverStage(t)
  for (const body of [valid, valid, {}, 'no JSON']) await post(body)
  await get('/api/users/1')
  await get('/api/users/2')
  await redis.send('XADD', 'ncc:checkins', '*', 'a', 'b')
  const { text, headers } = await get('/metrics')
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const durations = 'checkin_http_request_duration_seconds'
  const expected = {
    'checkin_ingest_total{outcome="accepted"}': 2,
    'checkin_ingest_total{outcome="invalid"}': 2,
    [`${durations}_count{route="/api/checkin",method="POST",status="202"}`]: 2,
    [`${durations}_bucket{le="+Inf",route="/api/checkin",method="POST",status="202"}`]: 2,
    [`${durations}_count{route="/api/checkin",method="POST",status="422"}`]: 1,
    [`${durations}_count{route="/api/users/:id",method="GET",status="404"}`]: 2,
    'checkin_stream_length{stream="ncc:checkins"}': 3,
    'checkin_pressure{stream="ncc:checkins",reason="backlog"}': 0,
  }
  for (const [name, value] of Object.entries(expected))
    assert.equal(metric(text, name), value, name)
  assert.ok((metric(text, 'checkin_redis_call_duration_seconds_count') ?? 0) >= 4)
  assert.ok((metric(text, 'process_resident_memory_bytes') ?? 0) > 1e6)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  for (const line of lines) assert.match(line, /^[a-z][a-z0-9_]*(?:\{[^{}]*\})? \S+$/)
})

test('metrics count each check-in of a batch and of a stream, also the wrong ones', async (t) => {
  const { get, contract, url } = await receiverStage(t)
  const send = async (body: string, type = 'application/json', query = ''): Promise<number> => {
    const headers = { 'content-type': type }
    const answer = await request(`${url}/api/checkins${query}`, { method: 'POST', headers, body })
    contract.check('POST', '/api/checkins', answer)
    return answer.status
  }
  const counted = async (): Promise<(number | undefined)[]> => {
    const { text } = await get('/metrics')
    const outcomes = ['accepted', 'invalid', 'held-back', 'unavailable']
    return outcomes.map((outcome) => metric(text, `checkin_ingest_total{outcome="${outcome}"}`))
  }
  const good = JSON.stringify(valid)
  assert.equal(await send(`[${good},{},${good},1]`), 207)
  assert.deepEqual(await counted(), [2, 2, undefined, undefined])
  assert.equal(await send('[{},{},{}]'), 422)
  assert.deepEqual(await counted(), [2, 5, undefined, undefined])
  assert.equal(await send(`[${good},{}]`, 'application/json', '?atomic=true'), 422)
  assert.deepEqual(await counted(), [2, 6, 1, undefined])
  assert.equal(await send(`${good}\nno JSON\n{}\n`, 'application/x-ndjson'), 207)
  assert.equal(await send('{}\n{}\n', 'application/x-ndjson'), 422)
  assert.deepEqual(await counted(), [3, 10, 1, undefined])
  // Refused as a whole.
  assert.equal(await send('no JSON'), 400)
  assert.deepEqual(await counted(), [3, 11, 1, undefined])
})

test('metrics are there while Redis is not', async (t) => {
  const { get, server } = await receiverStage(t, { bounds: { withinMs: 100 } })
  server.pause()
  const { status, text } = await get('/metrics')
  assert.equal(status, 200)
  assert.equal(metric(text, 'checkin_stream_length{stream="ncc:checkins"}'), undefined)
})

test('a request keeps a sane id of its own and gets one otherwise', async (t) => {
  const { post } = await receiverStage(t)
  const idFor = async (id: string): Promise<string | null> =>
    (await post({}, { ...json, 'x-request-id': id })).headers.get('x-request-id')
  assert.equal(await idFor('Root=1-67891233-abcdef'), 'Root=1-67891233-abcdef')
  for (const id of ['', 'a b', 'é', '<script>', 'x'.repeat(129)]) {
    assert.match((await idFor(id)) ?? '', /^[0-9a-f]{12}-[0-9a-z]+$/, id)
  }
  const first = await post({})
  assert.equal(
    (first.json as { requestId?: string } | undefined)?.requestId,
    first.headers.get('x-request-id'),
  )
  assert.notEqual((await post({})).headers.get('x-request-id'), first.headers.get('x-request-id'))
})

const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('a trace context is carried into the entry, a broken one is not', async (t) => {
  const { post, entries } = await receiverStage(t)
  const sent = [trace, `${trace}x`, trace.replace('00f067aa0ba902b7', '0000000000000000')]
  for (const traceparent of sent) {
    assert.equal((await post(valid, { ...json, traceparent })).status, 202)
  }
  const plain = ['locationId', '171', 'userId', '7', 'starRating', '4']
  assert.deepEqual(
    (await entries()).map(([, fields]) => fields),
    [[...plain, 'traceparent', trace], plain, plain],
  )
})

test('traceparent is read as the standard says', () => {
  const cases: [header: string, isValid: boolean][] = [
    [trace, true],
    [trace.replace(/^00/, '01'), true],
    [`${trace.replace(/^00/, 'cc')}-what-comes`, true],
    [`${trace}-more`, false],
    [trace.replace(/^00/, 'ff'), false],
    [trace.toUpperCase(), false],
    [trace.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)), false],
    [trace.slice(1), false],
    [`${trace.replace(/^00/, '01')}-${'x'.repeat(300)}`, false],
    ['', false],
  ]
  for (const [traceparent, isValid] of cases) {
    assert.deepEqual(traceFields({ traceparent }), isValid ? { traceparent } : undefined)
  }
})

test('at level debug the log has a line for each request, with its id and its route', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const env = { REDIS_URL: server.url, LOG_LEVEL: 'debug', LOG_FORMAT: 'json' }
  const main = runMain(['checkinreceiver', '--port', '0', '--grace', '0ms'], { env })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await main.waitForLine(/listens on/))?.[0] ?? ''
  const headers = { ...json, 'x-request-id': 'mine', traceparent: trace }
  const init = { method: 'POST', headers, body: JSON.stringify(valid) }
  assert.equal((await request(`${url}/api/checkin?x=hush`, init)).status, 202)
  const line = JSON.parse(await main.waitForLine(/"requestId":"mine"/)) as Record<string, unknown>
  assert.equal(line.level, 'debug')
  assert.equal(line.route, '/api/checkin')
  assert.equal(line.status, 202)
  assert.equal(line.traceparent, trace)
  main.kill()
  const { code, stdout } = await main.exited
  assert.equal(code, 0)
  assert.doesNotMatch(stdout, /hush/)
})
