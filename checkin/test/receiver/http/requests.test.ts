/** Requests as HTTP allows them, and as it does not: each gets the answer that is its own, as a document with an id. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lines } from '../../stage/ndjson-stage.ts'
import { answersIn, exchange, openSocket, untilClosed } from '../../stage/raw-http.ts'
import { receiverStage, request, valid } from '../../stage/receiver-stage.ts'

const text = JSON.stringify(valid)

const post = (headers: readonly string[], body = text, path = '/api/checkin'): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    ...headers,
    `Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`,
  ].join('\r\n')

const json = 'Content-Type: application/json'
const bom = '\xEF\xBB\xBF'

test('everything that is refused at its head is a problem with an id', async (t) => {
  const stage = await receiverStage(t)
  const cases: Record<string, [bytes: string, status: number]> = {
    'no host': [post([json]).replace('Host: localhost\r\n', ''), 400],
    'two hosts': [post([json, 'Host: localhost']), 400],
    'an expectation that nobody knows': [post([json, 'Expect: x']), 417],
    'a transfer coding that nobody knows': [
      `POST /api/checkin HTTP/1.1\r\nHost: localhost\r\n${json}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      501,
    ],
    'two content types': [post([json, json]), 415],
    'a charset that is not UTF-8': [post(['Content-Type: application/json; charset=utf-16']), 415],
    'a quoted one': [post(['Content-Type: application/json; charset="iso-8859-1"']), 415],
    'one of a stream': [
      post(['Content-Type: application/x-ndjson; charset=latin1'], text, '/api/checkins'),
      415,
    ],
  }
  for (const [name, [bytes, status]] of Object.entries(cases)) {
    const answer = await exchange(stage, bytes)
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), name)
    assert.match(answer, /\r\nx-request-id: \S+\r\n/, name)
    assert.match(answer, /\r\ncontent-type: application\/problem\+json/, name)
    assert.match(answer, /"requestId":"\S+"/, name)
  }
  assert.deepEqual(await stage.entries(), [])
})

test('forms that mean the same are taken the same way', async (t) => {
  const stage = await receiverStage(t)
  const cases: Record<string, string> = {
    'a host with the dot of the root': post([json]).replace('localhost', 'LOCALHOST.:8082'),
    'UTF-8 by its name': post(['Content-Type: application/json; charset="UTF-8"']),
    'no content encoding, said with an empty header': post([json, 'Content-Encoding:']),
    'identity in capitals': post([json, 'Content-Encoding: Identity']),
    'a byte order mark': post([json], bom + text),
    'one before a batch': post([json], `${bom}[${text}]`, '/api/checkins'),
    'one before a stream': post(
      ['Content-Type: application/x-ndjson'],
      `${bom}${text}\n`,
      '/api/checkins',
    ),
    'a stream as application/ndjson': post(
      ['Content-Type: application/ndjson'],
      `${text}\n`,
      '/api/checkins',
    ),
    'a stream as application/jsonl': post(
      ['Content-Type: application/jsonl; charset=utf-8'],
      `${bom}\n${text}`,
      '/api/checkins',
    ),
    'HTTP/1.0 without a host': post([json])
      .replace('HTTP/1.1', 'HTTP/1.0')
      .replace('Host: localhost\r\n', ''),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    assert.match(await exchange(stage, bytes), /^HTTP\/1\.1 202 /, name)
  }
  assert.equal((await stage.entries()).length, Object.keys(cases).length)
})

test('a mark amid a stream is no white space', async (t) => {
  const stage = await receiverStage(t)
  const init = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' } }
  const answer = await request(`${stage.url}/api/checkins`, {
    ...init,
    body: `${text}\n\uFEFF${text}\n`,
  })
  assert.deepEqual(
    lines(answer).map(({ status }) => status),
    [202, 400],
  )
})

test('100 Continue goes out only for a body that is read', async (t) => {
  const stage = await receiverStage(t)
  const head = (headers: readonly string[], path?: string): string =>
    post(['Expect: 100-continue', ...headers], '', path)
  const refused: [bytes: string, status: number][] = [
    [head([json]).replace('Content-Length: 0', 'Content-Length: 99999'), 413],
    [head(['Content-Type: text/plain']).replace('Length: 0', `Length: ${text.length}`), 415],
    [head([json, 'Content-Encoding: gzip']).replace('Length: 0', 'Length: 99'), 415],
    [head([json], '/nowhere').replace('Length: 0', 'Length: 99'), 404],
  ]
  for (const [bytes, status] of refused) {
    const statuses = answersIn(await exchange(stage, bytes)).map((answer) => answer.status)
    assert.deepEqual(statuses, [status])
  }
  for (const [type, path] of [
    ['application/json', '/api/checkin'],
    ['application/x-ndjson', '/api/checkins'],
  ] as const) {
    const socket = await openSocket(stage)
    const closed = untilClosed(socket)
    const told = new Promise((resolve) => socket.once('data', resolve))
    socket.write(
      head([`Content-Type: ${type}`], path).replace('Length: 0', `Length: ${text.length}`),
    )
    await told
    socket.write(text)
    assert.deepEqual(
      answersIn(await closed).map(({ status }) => status),
      [100, 202],
    )
  }
})

test("what is the client's fault is answered so, and does not fill the log", async (t) => {
  const stage = await receiverStage(t)
  const get = (path: string, headers: readonly string[] = []): Promise<string> =>
    exchange(
      stage,
      [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '\r\n'].join(
        '\r\n',
      ),
    )
  const page = /"(?:\.\/)?(?:\/docs\/)?(?:\.\/)?static\/[^"]+\.css"/.exec(await get('/docs'))?.[0]
  assert.notEqual(page, undefined)
  const css = '/docs/static/swagger-ui.css'
  assert.match(await get('/docs/static/%2e%2e/%2e%2e/x'), /^HTTP\/1\.1 (?:403|404) /)
  assert.match(await get(css, ['Range: bytes=99999999-']), /^HTTP\/1\.1 416 /)
  assert.match(await get(css, ['If-Match: "x"']), /^HTTP\/1\.1 412 /)
  assert.match(
    await get(css, ['If-Unmodified-Since: Mon, 01 Jan 1990 00:00:00 GMT']),
    /^HTTP\/1\.1 412 /,
  )
  assert.deepEqual(stage.lines, [])
})

test('receivedAt is the time of the receiver where ids run ahead of it', async (t) => {
  const stage = await receiverStage(t)
  const micros = String(Date.now() * 1000)
  await stage.redis.send('XADD', 'ncc:checkins', `${micros}-0`, 'userId', '1')
  const before = Date.now()
  for (const headers of [{}, { 'idempotency-key': 'a' }]) {
    const { json: body } = await stage.post(valid, {
      'content-type': 'application/json',
      ...headers,
    })
    const { id = '', receivedAt = '' } = body as { id?: string; receivedAt?: string }
    assert.ok(id.startsWith(`${micros}-`))
    const at = Date.parse(receivedAt)
    assert.ok(at >= before && at <= Date.now(), receivedAt)
    const state = await stage.get(`/api/checkins/${id}`)
    assert.equal(state.status, 200)
    assert.equal('receivedAt' in (state.json ?? {}), false)
  }
})
