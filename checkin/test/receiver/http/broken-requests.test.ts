/** What was recorded is answered with 202, whatever comes behind it on the connection. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { keysOf } from '../../stage/access-stage.ts'
import { jsonLine } from '../../stage/ndjson-client.ts'
import { answersIn, exchange, openSocket, untilClosed } from '../../stage/raw-http.ts'
import { receiverStage, valid, type Stage } from '../../stage/receiver-stage.ts'

const text = JSON.stringify(valid)

const post = (body: string, headers: readonly string[] = [], path = '/api/checkin'): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    ...(headers.some((line) => /^content-type/i.test(line))
      ? []
      : ['Content-Type: application/json']),
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  ].join('\r\n')

/** The last one, by the wish of its client. */
const last = post(text, ['Connection: close'])

/** The answers must be these, their ids those of the stream, in order. */
async function assertOwn(stage: Stage, answer: string, statuses: readonly number[]): Promise<void> {
  const answers = answersIn(answer)
  assert.deepEqual(
    answers.map(({ status }) => status),
    statuses,
    answer,
  )
  const ids = [...answer.matchAll(/"id":"([\d-]+)"/g)].map(([, id]) => id)
  assert.deepEqual(
    ids,
    (await stage.entries()).map(([id]) => id),
  )
}

/** And the last one, no other, says that it is the last. */
async function assertTrue(
  stage: Stage,
  answer: string,
  statuses: readonly number[],
): Promise<void> {
  await assertOwn(stage, answer, statuses)
  const closing = answersIn(answer).map((one) => /\r\nconnection: close\r\n/i.test(one.text))
  assert.deepEqual(
    closing,
    statuses.map((_, at) => at === statuses.length - 1),
  )
}

const forms: Readonly<Record<string, readonly [bytes: string, statuses: readonly number[]]>> = {
  'a NUL': [`${post(text)}\0`, [202]],
  'a blank': [`${post(text)} `, [202]],
  'a brace': [`${post(text)}}`, [202]],
  'a word': [`${post(text)}EXTRA`, [202]],
  'a NUL, with a key': [`${post(text, ['Idempotency-Key: a'])}\0`, [202]],
  'a NUL, the long way': [
    `${post(text, ['Content-Type: application/json; charset=utf-8'])}\0`,
    [202],
  ],
  'a NUL, after a batch': [`${post(`[${text},${text}]`, [], '/api/checkins')}\0`, [202]],
  'a NUL, after a short stream': [
    `${post(jsonLine(valid), ['Content-Type: application/x-ndjson'], '/api/checkins')}\0`,
    [202],
  ],
  'something malformed, after two': [`${post(text).repeat(2)}POST / HTTP/9.9\r\n\r\n`, [202, 202]],
  'headers that are too long': [
    `${post(text)}GET / HTTP/1.1\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`,
    [202],
  ],
  'a request behind the last one': [`${post(text, ['Connection: close'])}${post(text)}`, [202]],
  'what is good, after a body that is no JSON': [
    `${post('{"userId":')}${post(text).repeat(2)}${last}`,
    [400, 202, 202, 202],
  ],
  'a batch, after such a body': [
    `${post('{"userId":')}${post(`[${text},${text}]`, ['Connection: close'], '/api/checkins')}`,
    [400, 202],
  ],
  'what is good, after a batch that is no JSON': [
    `${post('[{"userId":', [], '/api/checkins')}${last}`,
    [400, 202],
  ],
  'what is good, after a body that is empty': [`${post('')}${last}`, [400, 202]],
  'what is good, after a request without Host': [
    `${post(text).replace('Host: localhost\r\n', '')}${post(text)}`,
    [400],
  ],
  'what is good, after a body that is too long': [
    `${post('x'.repeat(20_000))}${post(text)}`,
    [413],
  ],
  'what is good, after one that asks for another protocol': [
    `${post(text, ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'])}${post(text).repeat(2)}`,
    [202],
  ],
  'a NUL, after a request that is refused': [`${post('{}')}\0`, [422]],
  'a NUL, after an address that is not there': [`${post(text, [], '/nowhere')}\0`, [404, 400]],
}

async function slowStage(t: TestContext): Promise<Stage> {
  const stage = await receiverStage(t, { timeouts: { headersMs: 300 } })
  stage.proxy.delayReplies(100)
  return stage
}

for (const [name, [bytes, statuses]] of Object.entries(forms)) {
  test(`behind a request comes ${name}: it gets its own answer and no other`, async (t) => {
    const stage = await receiverStage(t)
    await assertTrue(stage, await exchange(stage, bytes), statuses)
  })

  test(`so it does when the store is slow (${name})`, async (t) => {
    const stage = await slowStage(t)
    await assertTrue(stage, await exchange(stage, bytes), statuses)
  })
}

test('junk that comes while the answer waits for the store does not overtake it', async (t) => {
  const stage = await slowStage(t)
  const socket = await openSocket(stage)
  const closed = untilClosed(socket)
  socket.write(post(text))
  await waitFor(() => stage.appendsBegun() === 1, { what: 'the append to begin' })
  // Each chunk of it is an error of its own.
  socket.write('\0')
  socket.write(post(text))
  await assertTrue(stage, await closed, [202])
})

test('junk that comes after the answer is answered with 400', async (t) => {
  const stage = await receiverStage(t)
  const socket = await openSocket(stage)
  const closed = untilClosed(socket)
  const answered = new Promise((resolve) => socket.once('data', resolve))
  socket.write(post(text))
  await answered
  socket.write('\0')
  await assertTrue(stage, await closed, [202, 400])
})

test('headers that come too slowly behind a request do not take its answer away', async (t) => {
  const stage = await receiverStage(t, { timeouts: { headersMs: 100 } })
  // Node looks once a second.
  stage.proxy.delayReplies(1500)
  const answer = await exchange(stage, `${post(text)}POST /api/checkin HTTP/1.1\r\nX-Slow: `)
  await assertTrue(stage, answer, [202])
})

test('a body that breaks in the middle is answered once, after those before it', async (t) => {
  const stage = await slowStage(t)
  const chunked = post(text).replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked')
  const broken = chunked.slice(0, -text.length) + `5\r\n${text.slice(0, 5)}\r\nzz\r\n`
  await assertTrue(stage, await exchange(stage, `${post(text)}${broken}`), [202, 400])
  const long = broken.replace('/json', '/json; charset=utf-8')
  assert.deepEqual(
    answersIn(await exchange(stage, long)).map(({ status }) => status),
    [400],
  )
  // It was answered before its body was read.
  const early = broken.replace('/api/checkin', '/nowhere')
  assert.deepEqual(
    answersIn(await exchange(stage, early)).map(({ status }) => status),
    [404],
  )
})

test('a body that breaks while its key is looked up is answered at once', async (t) => {
  const stage = await receiverStage(t, { access: { apiKeys: true } })
  const { text: token } = await (await keysOf(t, stage)).create({ name: 'app', scopes: ['ingest'] })
  stage.proxy.delayReplies(100)
  const key = `Authorization: Bearer ${token}`
  const head = post('', [key]).replace('Content-Length: 0', 'Transfer-Encoding: chunked')
  assert.deepEqual(
    answersIn(await exchange(stage, `${head}zz\r\n`)).map(({ status }) => status),
    [400],
  )
  assert.deepEqual(await stage.entries(), [])
})

const refusedLate = {
  'is too long': [(key: string) => post('x'.repeat(20_000), [key]), 'ingest', 413],
  'may not send': [
    (key: string) =>
      `${post('', [key]).replace('Content-Length: 0', 'Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\n\r\n`,
    'read',
    403,
  ],
} as const

for (const [name, [first, scope, status]] of Object.entries(refusedLate)) {
  test(`behind a request that ${name}, as its key tells late, what has begun is answered`, async (t) => {
    const stage = await receiverStage(t, { access: { apiKeys: true } })
    const keys = await keysOf(t, stage)
    const keyFor = async (one: 'ingest' | 'read'): Promise<string> =>
      `Authorization: Bearer ${(await keys.create({ name: one, scopes: [one] })).text}`
    const own = await keyFor(scope)
    const good = await keyFor('ingest')
    const behind = `${post(text, [good])}${post(text, [good, 'Connection: close'])}`
    await assertTrue(stage, await exchange(stage, `${first(own)}${behind}`), [status, 202, 202])
  })
}

test('a stream that breaks tells what was recorded of it', async (t) => {
  const stage = await receiverStage(t)
  const head = post('', ['Content-Type: application/x-ndjson'], '/api/checkins')
  const start = head.replace('Content-Length: 0', 'Transfer-Encoding: chunked')
  const line = jsonLine(valid)
  const chunk = `${line.length.toString(16)}\r\n${line}\r\n`
  for (const [at, end] of ['zz\r\n', '\0'].entries()) {
    const socket = await openSocket(stage)
    const closed = untilClosed(socket)
    const answered = new Promise((resolve) => socket.once('data', resolve))
    socket.write(`${start}${chunk}`)
    await answered
    socket.write(end)
    const answer = await closed
    const [, id] = /"index":0,"status":202,"id":"([\d-]+)"/.exec(answer) ?? []
    assert.match(answer, /"status":400,"stoppedAt":1,/)
    const entries = await stage.entries()
    assert.equal(entries.length, at + 1)
    assert.equal(id, entries.at(-1)?.[0])
  }
})

test('a client that has nothing more to send, and says so, gets its answer', async (t) => {
  const stage = await slowStage(t)
  const connections = async (): Promise<number> => {
    const { text } = await stage.get('/metrics')
    return Number(/^nodejs_active_resources\{type="TCPSocketWrap"\} (\d+)/m.exec(text)?.[1])
  }
  const before = await connections()
  const cases: [bytes: string, statuses: number[]][] = [
    [post(text), [202]],
    [post(text).repeat(3), [202, 202, 202]],
    [post(text, ['Idempotency-Key: b']), [202]],
    [post(text).slice(0, -1), [400]],
    ['POST /api/checkin HT', [400]],
  ]
  for (const [bytes, statuses] of cases) {
    await stage.redis.send('DEL', 'ncc:checkins')
    const socket = await openSocket(stage)
    socket.end(bytes)
    await assertOwn(stage, await untilClosed(socket), statuses)
  }
  await waitFor(async () => (await connections()) <= before, { what: 'the connections to be gone' })
})

test('while the receiver leaves, requests that come together are still all answered', async (t) => {
  const stage = await receiverStage(t, { graceMs: 200 })
  stage.proxy.delayReplies(100)
  const socket = await openSocket(stage)
  const closed = untilClosed(socket)
  const left = stage.receiver.close()
  await waitFor(async () => (await fetch(stage.url).catch(() => undefined)) === undefined, {
    what: 'the door to be closed',
  })
  const one = (n: number): string => post(text, [`Idempotency-Key: k${n}`])
  socket.write([0, 1, 2, 3].map(one).join(''))
  await assertTrue(stage, await closed, [202, 202, 202, 202])
  await left
})
