/** The short way of plain check-ins: what a client sees does not tell which way its request took. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '../../../../testing/wait-for.ts'
import { newServer } from '../../../src/receiver/http/server.ts'
import { takePlainCheckins } from '../../../src/receiver/ingest/plain-checkins.ts'
import { receiverStage, valid, type Stage } from '../../stage/receiver-stage.ts'

const text = JSON.stringify(valid)

/** Sends parts of requests, and returns all that comes back until the receiver closes. The last request must ask for that. */
async function exchange({ url }: Pick<Stage, 'url'>, parts: readonly string[]): Promise<string> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString()))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  for (const [at, part] of parts.entries()) {
    if (at > 0) await delay(20)
    socket.write(part)
  }
  await closed
  return answer
}

const head = (lines: readonly string[], version = '1.1'): string =>
  `${[`POST /api/checkin HTTP/${version}`, 'Host: localhost', ...lines].join('\r\n')}\r\n\r\n`

const json = 'Content-Type: application/json'
const close = 'Connection: close'
const lengthOf = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}`
const padded = (length: number): string => text + ' '.repeat(length - text.length)

/** An answer without what may differ between two to the same request; headers may come in any order. */
function comparable(answer: string): string {
  const [top = '', ...body] = answer.split('\r\n\r\n')
  const sorted = top.split('\r\n').toSorted().join('\n')
  return [sorted, ...body]
    .join('\n\n')
    .replaceAll(/\d{13}-\d+/g, 'ID')
    .replaceAll(/"receivedAt":"[^"]+"/g, 'TIME')
    .replaceAll(/date: .+/gi, 'DATE')
    .replaceAll(/retry-after: [1-3]$/gim, 'retry-after: N')
    .replaceAll(/[0-9a-f]{12}-[0-9a-z]+/g, 'REQUEST')
}

const bodies: Readonly<Record<string, readonly [status: number, body: string]>> = {
  'a check-in': [202, text],
  'fields beyond the three': [202, JSON.stringify({ ...valid, note: 'äöü 😀' })],
  'white space': [202, JSON.stringify(valid, undefined, 2)],
  'a byte order mark': [202, `\uFEFF${text}`],
  '16 KB': [202, padded(16 * 1024)],
  'more than 16 KB': [413, padded(16 * 1024 + 1)],
  'half of it': [400, text.slice(0, 10)],
  'wrong fields': [422, JSON.stringify({ ...valid, starRating: 6, userId: '7' })],
  'a prototype': [400, `{"__proto__":{},${text.slice(1)}`],
  'an escaped prototype': [400, `{"\\u005f_proto__":{},${text.slice(1)}`],
  'no object': [422, '[]'],
}

const headers: Readonly<Record<string, readonly [status: number, lines: readonly string[]]>> = {
  'its own request id': [202, ['X-Request-Id: mine-1']],
  'a request id that is not sane': [202, ['X-Request-Id: a b']],
  'a trace': [202, ['traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01']],
  'a key': [202, ['Idempotency-Key: one']],
  'a malformed key': [400, ['Idempotency-Key: ']],
  'a compressed body': [415, ['Content-Encoding: gzip']],
  'an origin': [202, ['Origin: https://elsewhere.example']],
}

test('an answer is the same whether the body comes with the headers or after them', async (t) => {
  const stage = await receiverStage(t)
  const compare = async (name: string, status: number, start: string, body: string) => {
    const short = await exchange(stage, [start + body])
    if (start.includes('Idempotency-Key: one')) await stage.redis.send('FLUSHALL')
    const long = await exchange(stage, [start, body])
    assert.match(short, new RegExp(`^HTTP/1.1 ${status} `), name)
    assert.equal(comparable(short), comparable(long), name)
  }
  for (const [name, [status, body]] of Object.entries(bodies)) {
    await compare(name, status, head([json, close, lengthOf(body)]), body)
    await compare(`${name}, HTTP/1.0`, status, head([json, lengthOf(body)], '1.0'), body)
  }
  for (const [name, [status, more]] of Object.entries(headers)) {
    await compare(name, status, head([json, close, lengthOf(text), ...more]), text)
  }
})

test('so is it while Redis is away, and the metrics do not tell the ways apart', async (t) => {
  const stage = await receiverStage(t)
  const start = head([json, close, lengthOf(text)])
  await exchange(stage, [start + text])
  await exchange(stage, [start, text])
  await stage.server.kill9()
  const short = await exchange(stage, [start + text])
  const long = await exchange(stage, [start, text])
  assert.match(short, /^HTTP\/1.1 503 [^]+retry-after: [1-3]\r\n/)
  // Which of the two a client gets depends on when the connection to Redis was lost.
  const kind = /"type":"[^"]+"[^}]+"detail":"[^"]+"/
  assert.equal(comparable(short).replace(kind, ''), comparable(long).replace(kind, ''))
  const metrics = (await stage.get('/metrics')).text
  const counted = (status: number): string | undefined =>
    new RegExp(
      `request_duration_seconds_count\\{route="/api/checkin",method="POST",status="${status}"\\} (\\d+)`,
    ).exec(metrics)?.[1]
  assert.deepEqual([counted(202), counted(503)], ['2', '2'])
  assert.match(metrics, /checkin_ingest_total\{outcome="accepted"\} 2\n/)
  assert.match(metrics, /checkin_ingest_total\{outcome="unavailable"\} 2\n/)
  assert.equal(
    metrics.match(/_count\{route="\/api\/checkin",method="POST",status="202"/g)?.length,
    1,
  )
})

test('a body whose beginning is a check-in is not taken before its end has come', async (t) => {
  const stage = await receiverStage(t)
  const start = head([json, close, lengthOf(`${text}, more`)])
  assert.match(await exchange(stage, [start + text, ', more']), /^HTTP\/1.1 400 /)
  assert.deepEqual(await stage.entries(), [])
})

test('pages of other origins get their headers, and level debug its line, for plain check-ins too', async (t) => {
  const origins = ['https://app.example']
  const stage = await receiverStage(t, { access: { origins } })
  const start = head([json, close, lengthOf(text), 'Origin: https://app.example'])
  const answer = await exchange(stage, [start + text])
  assert.match(answer, /^HTTP\/1.1 202 [^]+access-control-allow-origin: https:\/\/app.example\r\n/)
  const talkative = await receiverStage(t, { logLevel: 'debug' })
  await exchange(talkative, [start + text])
  const line = /^POST \/api\/checkin: 202 for 127\.0\.0\.1 after [\d.]+ ms\.$/
  await waitFor(() => talkative.lines.some((told) => line.test(told)), { what: 'the line' })
})

test('a refusal under pressure says when to come back as the pressure does, not as any 503', async (t) => {
  const state = { kind: 'overloaded', reason: 'memory', retryAfterMs: 60_000 } as const
  const stage = await receiverStage(t, { pressure: { state } })
  const { status, headers } = await stage.post(valid)
  const seconds = Number(headers.get('retry-after'))
  assert.ok(status === 503 && seconds >= 60 && seconds <= 120, `${status}, ${seconds} s`)
})

test('requests that come together are answered in their order, whichever way each takes', async (t) => {
  const stage = await receiverStage(t)
  const one = (userId: number, more: readonly string[]): string => {
    const body = JSON.stringify({ ...valid, userId })
    return head([json, lengthOf(body), `X-Request-Id: r${userId}`, ...more]) + body
  }
  const requests = Array.from({ length: 200 }, (_, at) =>
    // Each third goes the long way, for its key.
    one(at + 1, at % 3 === 0 ? [`Idempotency-Key: k${at}`] : []),
  )
  const answers = await exchange(stage, [[...requests, one(999, [close])].join('')])
  const ids = [...answers.matchAll(/x-request-id: r(\d+)/g)].map(([, id]) => Number(id))
  assert.deepEqual(ids, [...requests.map((_, at) => at + 1), 999])
  assert.equal(answers.match(/HTTP\/1.1 202 /g)?.length, 201)
  assert.equal((await stage.entries()).length, 201)
})

test('a plain check-in passes the framework by, and one that is not plain does not', async (t) => {
  const parts = {
    pressure: { state: { kind: 'free' } },
    shutdown: { isLeaving: false },
    metrics: { route: () => ({ answered: () => undefined }) },
    recorder: { record: () => Promise.resolve('1700000000000-0') },
    hosts: () => ({ accepts: (host: string) => host !== 'elsewhere' }),
    failures: { problemOf: () => assert.fail('nothing fails here') },
  }
  const app = newServer({})
  let long = 0
  app.post('/api/checkin', (_request, reply) => {
    long += 1
    return reply.code(299).header('connection', 'close').send()
  })
  takePlainCheckins(app, parts as never)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const whole = head([json, close, lengthOf(text)]) + text
  assert.match(await exchange({ url }, [whole]), /^HTTP\/1.1 202 /)
  assert.equal(long, 0)
  assert.match(await exchange({ url }, [whole.slice(0, -1), '}']), /^HTTP\/1.1 299 /)
  assert.match(await exchange({ url }, [whole.replace('localhost', 'elsewhere')]), / 299 /)
  const charset = whole.replace('/json', '/json; charset=utf-8')
  assert.match(await exchange({ url }, [charset]), / 299 /)
  parts.pressure.state.kind = 'overloaded'
  assert.match(await exchange({ url }, [whole]), / 299 /)
  assert.equal(long, 4)
})
