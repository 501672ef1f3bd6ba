/** Requests that wait behind another on a connection which is cut: what they hold is given back, and what became of them is told. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { keysOf } from '../../stage/access-stage.ts'
import { NdjsonClient } from '../../stage/ndjson-client.ts'
import { openSocket } from '../../stage/raw-http.ts'
import { receiverStage, valid, type Stage } from '../../stage/receiver-stage.ts'

const text = JSON.stringify(valid)
const post =
  'POST /api/checkin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
  `Content-Length: ${text.length}\r\n\r\n${text}`

/** A stream that has sent one line, and goes on. */
const stream = (...headers: readonly string[]): string =>
  [
    'POST /api/checkins/stream HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/x-ndjson',
    ...headers,
    `Transfer-Encoding: chunked\r\n\r\n${(text.length + 1).toString(16)}\r\n${text}\n\r\n`,
  ].join('\r\n')

/** Sends them at once to a store that does not answer, and cuts the connection when so many appends have begun. */
async function cutAmid(stage: Stage, bytes: string, appends: number): Promise<void> {
  const before = stage.appendsBegun()
  stage.proxy.blackHole(true)
  const socket = await openSocket(stage)
  socket.write(bytes)
  await waitFor(() => stage.appendsBegun() === before + appends, { what: 'the appends to begin' })
  socket.resetAndDestroy()
  stage.proxy.blackHole(false)
}

/** Waits until a stream of its own is taken: one at a time may be open. */
async function untilFree(
  t: TestContext,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const isTaken = async (): Promise<boolean> => {
    const client = new NdjsonClient(url, headers)
    t.after(() => client.destroy())
    await client.write(valid)
    await waitFor(() => client.status !== undefined || client.isOver, { what: 'an answer' })
    client.destroy()
    return client.status === 207
  }
  await waitFor(isTaken, { what: 'slot and key to be free', timeoutMs: 10_000, everyMs: 100 })
}

test('a stream that waits behind a request gives slot and key back when both are cut', async (t) => {
  const stage = await receiverStage(t, { streams: { max: 1 } })
  await cutAmid(stage, `${post}${stream('Idempotency-Key: one')}`, 2)
  await untilFree(t, stage.url, { 'idempotency-key': 'one' })
})

test('so does a stream whose client is gone before its API key is looked up', async (t) => {
  const stage = await receiverStage(t, { access: { apiKeys: true }, streams: { max: 1 } })
  const { text: token } = await (await keysOf(t, stage)).create({ name: 'app', scopes: ['ingest'] })
  stage.proxy.blackHole(true)
  const socket = await openSocket(stage)
  socket.write(stream(`Authorization: Bearer ${token}`, 'Idempotency-Key: one'))
  // By the time of such an answer, the receiver has seen what came before.
  await stage.get('/livez')
  socket.resetAndDestroy()
  await stage.get('/livez')
  stage.proxy.blackHole(false)
  await untilFree(t, stage.url, { authorization: `Bearer ${token}`, 'idempotency-key': 'one' })
})

test('each of the requests that are cut together has its line in the access log', async (t) => {
  const stage = await receiverStage(t, { accessLog: true })
  const linesOf = (route: string) => stage.logged.filter((line) => line.route === route)
  await cutAmid(stage, post.repeat(5), 5)
  await waitFor(() => linesOf('/api/checkin').length === 5, {
    what: 'five lines',
    timeoutMs: 10_000,
  })
  assert.deepEqual(
    linesOf('/api/checkin').map(({ isCut }) => isCut),
    [true, true, true, true, true],
  )
  await waitFor(async () => (await stage.entries()).length === 5, { what: 'the entries' })
  const line =
    'checkin_http_request_duration_seconds_count{route="/api/checkin",method="POST",status="202"} 5'
  await waitFor(async () => (await stage.get('/metrics')).text.includes(line), {
    what: 'all to be counted',
    timeoutMs: 10_000,
  })
})
