import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { propertyRuns } from '../../../../testing/property-runs.ts'
import { anyBody, expectedFields } from '../../stage/any-body.ts'
import { exchange, openSocket, untilClosed } from '../../stage/raw-http.ts'
import { receiverStage, valid, type Stage } from '../../stage/receiver-stage.ts'

const text = JSON.stringify(valid)

const post = (headers: string, body: string): string =>
  `POST /api/checkin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`

async function assertUntouched({ post, entries }: Stage): Promise<void> {
  assert.deepEqual(await entries(), [])
  assert.equal((await post(valid)).status, 202)
}

test('who sends headers or body too slowly gets a 408 and is disconnected', async (t) => {
  const stage = await receiverStage(t, { timeouts: { headersMs: 100, requestMs: 200 } })
  const answers = await Promise.all([
    exchange(stage, 'POST /api/checkin HTTP/1.1\r\nHost: localhost\r\nX-Slow: '),
    exchange(stage, post(`Content-Length: ${text.length}`, text.slice(0, -1))),
    exchange(stage, post('Transfer-Encoding: chunked', '5\r\n{"use')),
  ])
  for (const answer of answers) {
    assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
    assert.match(answer, /application\/problem\+json/)
  }
  await assertUntouched(stage)
})

test('an endless chunked body is refused at the limit', async (t) => {
  const stage = await receiverStage(t)
  const socket = await openSocket(stage)
  socket.write(post('Transfer-Encoding: chunked', ''))
  const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`
  let isOpen = true
  socket.once('close', () => (isOpen = false))
  const pour = (): void => {
    while (isOpen && socket.writable && socket.write(chunk));
  }
  socket.on('drain', pour)
  pour()
  const answer = await untilClosed(socket)
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.ok(socket.bytesWritten < 64 * 1024 * 1024, `took ${socket.bytesWritten} bytes`)
  await assertUntouched(stage)
})

test('a body that is announced as too long is refused before it comes', async (t) => {
  const stage = await receiverStage(t)
  const start = `POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n`
  assert.match(await exchange(stage, post('Content-Length: 1000000000', '')), /^HTTP\/1\.1 413 /)
  assert.match(await exchange(stage, start), /^HTTP\/1\.1 404 /)
  await assertUntouched(stage)
})

test('requests that are no HTTP, or HTTP with two meanings, are refused', async (t) => {
  const stage = await receiverStage(t)
  const { length } = text
  const cases: Record<string, [bytes: string, status: number]> = {
    'two lengths': [post(`Content-Length: ${length}\r\nContent-Length: 5`, text), 400],
    'length and chunked': [
      post(`Content-Length: ${length}\r\nTransfer-Encoding: chunked`, '0\r\n\r\n'),
      400,
    ],
    'negative length': [post('Content-Length: -1', text), 400],
    'wrong chunk size': [post('Transfer-Encoding: chunked', `zz\r\n${text}\r\n0\r\n\r\n`), 400],
    'unknown method': ['FOO /api/checkin HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    'header of 20 KB': [post(`X-Long: ${'x'.repeat(20_000)}`, ''), 431],
    'no host': ['POST /api/checkin HTTP/1.1\r\nContent-Length: 0\r\n\r\n', 400],
    'bare line feed in a header': [post('X-A: b\nX-C: d', ''), 400],
    'space before the colon': [post(`Content-Length : ${length}`, text), 400],
    garbage: ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  }
  for (const [name, [bytes, status]] of Object.entries(cases)) {
    assert.match(await exchange(stage, bytes), new RegExp(`^HTTP/1\\.1 ${status} `), name)
  }
  await assertUntouched(stage)
})

test('on the loopback, only its own names may stand in Host', async (t) => {
  const stage = await receiverStage(t, { access: { hosts: ['checkins.example'] } })
  const start = (host: string): string =>
    `GET /livez HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
  const own = ['localhost', 'LOCALHOST:1', '127.0.0.1:8082', '[::1]:8082', 'checkins.example']
  for (const host of own) assert.match(await exchange(stage, start(host)), /^HTTP\/1\.1 200 /, host)
  const others = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '',
    '10.0.0.1',
  ]
  for (const host of others) {
    const answer = await exchange(stage, start(host))
    assert.match(answer, /^HTTP\/1\.1 421 /, host)
    assert.match(answer, /application\/problem\+json/)
  }
  const withBody = post('Connection: close\r\nContent-Length: 1000000000', '')
  const answer = await exchange(stage, withBody.replace('localhost', 'evil.example'))
  assert.match(answer, /^HTTP\/1\.1 421 /)
  await assertUntouched(stage)
})

test('TRACE is answered with 405 and echoes nothing', async (t) => {
  const stage = await receiverStage(t)
  const answer = await exchange(
    stage,
    'TRACE /api/checkin HTTP/1.1\r\nHost: localhost\r\nX-Secret: hush\r\nConnection: close\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 405 /)
  assert.match(answer, /\r\nallow: POST\r\n/)
  assert.doesNotMatch(answer, /hush/)
})

test('a thousand requests in one write are answered one by one', async (t) => {
  const stage = await receiverStage(t)
  const one = post(`Content-Length: ${text.length}`, text)
  const last = post(`Connection: close\r\nContent-Length: ${text.length}`, text)
  const answer = await exchange(stage, one.repeat(999) + last)
  const ids = [...answer.matchAll(/{"id":"([\d-]+)","status"/g)].map((match) => match[1])
  assert.deepEqual(
    ids,
    (await stage.entries()).map(([id]) => id),
  )
  assert.equal(ids.length, 1000)
})

test('who leaves before the answer does no harm', async (t) => {
  const stage = await receiverStage(t)
  for (let round = 1; round <= 20; round += 1) {
    const socket = await openSocket(stage)
    socket.write(post(`Content-Length: ${text.length}`, text))
    socket.resetAndDestroy()
  }
  assert.equal((await stage.post(valid)).status, 202)
})

test('deep nesting is parsed and left out, or refused', async (t) => {
  const { post } = await receiverStage(t)
  const deep = '['.repeat(8000) + ']'.repeat(8000)
  assert.equal((await post(deep)).status, 422)
  assert.equal((await post('['.repeat(16_000))).status, 400)
  assert.equal((await post(`${text.slice(0, -1)},"deep":${deep}}`)).status, 202)
})

test('a body cannot reach prototypes', async (t) => {
  const stage = await receiverStage(t)
  const bodies = [
    `{"__proto__":${text}}`,
    `${text.slice(0, -1)},"__proto__":{"polluted":1}}`,
    `${text.slice(0, -1)},"\\u005f_proto__":{"polluted":1}}`,
    `${text.slice(0, -1)},"constructor":{"prototype":{"polluted":1}}}`,
  ]
  for (const body of bodies) assert.equal((await stage.post(body)).status, 400, body)
  assert.equal('polluted' in {}, false)
  await assertUntouched(stage)
})

test('nothing but a valid check-in reaches the stream', async (t) => {
  const { post, redis } = await receiverStage(t)
  const seen = { taken: 0, refused: 0 }
  const numRuns = propertyRuns(1000)
  await fc.assert(
    fc.asyncProperty(anyBody, async (body) => {
      await redis.send('DEL', 'ncc:checkins')
      const { status } = await post(body)
      const entries = (await redis.send('XRANGE', 'ncc:checkins', '-', '+')) as [string, string[]][]
      const fields = entries.map(([, flat]) => flat)
      if (status === 202) {
        seen.taken += 1
        assert.deepEqual(fields, [expectedFields(body)])
      } else {
        seen.refused += 1
        assert.ok(status === 400 || status === 422, String(status))
        assert.deepEqual(fields, [])
        // Names that reach for prototypes are refused even beside a valid check-in.
        assert.ok(expectedFields(body) === undefined || /__proto__|constructor/.test(body))
      }
    }),
    { numRuns },
  )
  const least = numRuns / 10
  assert.ok(seen.taken > least && seen.refused > least, JSON.stringify(seen))
})
