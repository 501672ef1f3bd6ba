import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import type { PressureSource } from '../../../src/receiver/limits/overload.ts'
import { NdjsonStream } from '../../../src/receiver/ingest/ndjson.ts'
import { plainProblem } from '../../../src/receiver/http/problem.ts'
import { ndjson, NdjsonClient } from '../../stage/ndjson-client.ts'
import { lines, send, statuses, wrong } from '../../stage/ndjson-stage.ts'
import { receiverStage, valid } from '../../stage/receiver-stage.ts'

test('a client that leaves in the middle leaves whole lines only', async (t) => {
  const { url, entries, post, receiver } = await receiverStage(t)
  const client = new NdjsonClient(url)
  await client.write(valid, valid)
  await client.untilResults(2)
  // A number that is cut is a number, too.
  await client.write('{"userId":7,"locationId":171,"starRating":4}')
  // By the time of this answer, the receiver has read it.
  assert.equal((await post(valid)).status, 202)
  client.destroy()
  assert.equal((await post(valid)).status, 202)
  // Whatever it had in flight is done then.
  await receiver.close()
  assert.equal((await entries()).length, 2 + 2)
})

test('when the store is lost, each line has its outcome and the stream ends with the reason', async (t) => {
  const stage = await receiverStage(t)
  const client = new NdjsonClient(stage.url)
  await client.write(valid)
  await client.untilResults(1)
  stage.proxy.cutBeforeReply('EVALSHA')
  await client.write(valid)
  await client.over()
  const [, lost, end, ...rest] = client.results
  assert.deepEqual(rest, [])
  assert.deepEqual([lost?.index, lost?.status], [1, 503])
  assert.equal(lost?.problem?.type, '/problems/outcome-unknown')
  assert.deepEqual([end?.index, end?.stoppedAt, end?.status], [undefined, 2, 503])
  assert.equal(stage.proxy.cuts, 1)
  // It was recorded: the reply was lost, not the command.
  assert.equal((await stage.entries()).length, 2)
})

test('a stream to a store that is down is refused with 503, line by line', async (t) => {
  const stage = await receiverStage(t)
  await stage.server.kill9()
  await waitFor(async () => (await stage.post(valid)).json?.type === '/problems/unavailable', {
    what: 'the loss to be noticed',
  })
  const known = await send(stage, ndjson(valid, wrong))
  assert.equal(known.status, 503)
  assert.match(known.headers.get('retry-after') ?? '', /^[123]$/)
  assert.deepEqual(statuses(lines(known)), [503, 422, 503])
  const client = new NdjsonClient(stage.url)
  await client.write(valid)
  await client.over()
  assert.equal(client.status, 503)
  assert.match(client.results[0]?.problem?.detail ?? '', /not recorded/)
  assert.equal(client.results[1]?.stoppedAt, 1)
})

test('pressure refuses a stream at its start and slows it down later', async (t) => {
  const pressure: { state: PressureSource['state'] } = { state: { kind: 'free' } }
  const stage = await receiverStage(t, { pressure })
  const client = new NdjsonClient(stage.url)
  await client.write(valid)
  await client.untilResults(1)
  pressure.state = { kind: 'overloaded', reason: 'backlog', retryAfterMs: 1000 }
  assert.equal((await send(stage, ndjson(valid))).status, 429)
  await client.write(valid)
  // A round trip through the same receiver: the line has arrived, and waits.
  for (let n = 0; n < 5; n += 1) await stage.get('/health')
  assert.equal(client.results.length, 1)
  pressure.state = { kind: 'free' }
  assert.deepEqual(statuses(await client.end()), [202, 202])
})

test('a stream without lines for too long is ended', async (t) => {
  const stage = await receiverStage(t, { timeouts: { streamIdleMs: 200 } })
  const client = new NdjsonClient(stage.url)
  await client.write(valid, '{"userId":')
  await client.over()
  assert.deepEqual(statuses(client.results), [202, 408])
  assert.equal(client.results[1]?.stoppedAt, 1)
  assert.equal((await stage.entries()).length, 1)
})

test('a stream may take longer than a body', async (t) => {
  const { url } = await receiverStage(t, { timeouts: { headersMs: 100, requestMs: 200 } })
  const client = new NdjsonClient(url)
  const startedAt = performance.now()
  let sent = 0
  while (performance.now() - startedAt < 1500) {
    await client.write(valid)
    sent += 1
    await client.untilResults(sent)
  }
  assert.equal((await client.end()).length, sent)
})

test('a receiver that closes ends its streams with the reason, and loses no line', async (t) => {
  const stage = await receiverStage(t)
  const client = new NdjsonClient(stage.url)
  await client.write(valid)
  await client.untilResults(1)
  await stage.receiver.close()
  await client.over()
  assert.deepEqual(statuses(client.results), [202, 503])
  assert.equal(client.results[1]?.stoppedAt, 1)
  assert.equal((await stage.entries()).length, 1)
})

test('a stream whose answer is torn off while nobody reads it leaves nothing behind', async () => {
  const closing = new AbortController()
  const source = new Readable({ read: () => undefined })
  const stream = new NdjsonStream(source, {
    read: () => ({ problem: plainProblem(422, 'The check-in is not valid') }),
    append: () => Promise.resolve([]),
    problemOf: () => plainProblem(500, 'There is nothing to fail here'),
    refused: () => undefined,
    untilFree: () => Promise.resolve(undefined),
    closing: closing.signal,
    idleMs: 60_000,
    isWhole: false,
    linesAtOnce: 500,
    waitMaxMs: 10_000,
  })
  const answer = stream.answer()
  // More results than are kept for a client that does not read.
  source.push('{}\n'.repeat(5000))
  const { body } = await answer
  assert.ok(body instanceof Readable)
  await waitFor(() => body.readableLength > 64 * 1024, { what: 'unread results' })
  body.destroy()
  await waitFor(() => getEventListeners(closing.signal, 'abort').length === 0, {
    what: 'the stream to end',
  })
})
