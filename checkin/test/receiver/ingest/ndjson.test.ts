import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { jsonLine, ndjson, NdjsonClient, type ResultLine } from '../../stage/ndjson-client.ts'
import { lines, send, statuses, wrong } from '../../stage/ndjson-stage.ts'
import { receiverStage, valid } from '../../stage/receiver-stage.ts'

test('lines of a known length get the status of their outcome', async (t) => {
  const stage = await receiverStage(t)
  const all = await send(stage, ndjson(valid, { ...valid, userId: 8 }))
  assert.equal(all.status, 202)
  assert.match(all.headers.get('content-type') ?? '', /^application\/x-ndjson/)
  assert.deepEqual(
    lines(all).map(({ id }) => id),
    (await stage.entries()).map(([id]) => id),
  )
  const mixed = await send(stage, `${jsonLine(wrong)}\n\r\n${JSON.stringify(valid)}`)
  assert.equal(mixed.status, 207)
  assert.deepEqual(
    lines(mixed).map(({ index, status }) => [index, status]),
    [
      [0, 422],
      [1, 202],
    ],
  )
  const none = await send(stage, `${jsonLine(wrong)}{"userId":\n`)
  assert.equal(none.status, 422)
  assert.deepEqual(statuses(lines(none)), [422, 400])
  for (const empty of ['', '\n', ' \r\n\n']) {
    assert.equal((await send(stage, empty)).status, 422, JSON.stringify(empty))
  }
  assert.equal((await send(stage, ndjson(valid), '?atomic=true')).status, 400)
  assert.equal((await stage.entries()).length, 3)
})

test('results come while lines are still being sent', async (t) => {
  const { url, entries } = await receiverStage(t)
  const client = new NdjsonClient(url)
  for (let n = 1; n <= 5; n += 1) {
    await client.write(valid)
    await client.untilResults(n)
  }
  assert.equal(client.status, 207)
  assert.equal(client.isOver, false)
  const results = await client.end()
  assert.deepEqual(
    results.map(({ index, id }) => [index, id]),
    (await entries()).map(([id], index) => [index, id]),
  )
})

test('a broken line gets its problem and the stream goes on, wherever it is cut', async (t) => {
  const stage = await receiverStage(t)
  const text = [
    jsonLine(valid),
    '{"userId":1\n',
    `{"a":"${'x'.repeat(17_000)}"}\n`,
    jsonLine({ ...valid, note: 'ü😀' }),
    'null\n',
    '{} {}\n',
    '\u2028\n',
    `${JSON.stringify(valid)}\r\n`,
    `{"__proto__":{},${JSON.stringify(valid).slice(1)}\n`,
    JSON.stringify(valid),
  ].join('')
  const expected = [202, 400, 413, 202, 422, 400, 400, 202, 400, 202]
  const bytes = Buffer.from(text)
  for (const size of [1, 7, 4096, 16_384, bytes.length]) {
    const client = new NdjsonClient(stage.url)
    const step = size === 1 ? 1 : size
    // Byte by byte only where it matters: around the ends of lines and characters.
    for (let at = 0; at < bytes.length;) {
      const next = size <= 7 && at > 300 && at < 17_000 ? 17_000 : at + step
      await client.write(bytes.subarray(at, next))
      at = next
    }
    const results = await client.end()
    assert.deepEqual(statuses(results), expected, `in pieces of ${size}`)
    assert.deepEqual(
      results.map(({ index }) => index),
      expected.map((_, index) => index),
    )
  }
  assert.equal((await stage.entries()).length, 5 * 4)
})

test('a line of exactly 16 KB is taken, and one of a byte more is not', async (t) => {
  const stage = await receiverStage(t)
  const sized = (bytes: number): string => {
    const text = JSON.stringify(valid)
    return text + ' '.repeat(bytes - text.length)
  }
  const body = [16_384, 16_385, 16_384].map(sized).join('\n')
  assert.deepEqual(statuses(lines(await send(stage, body))), [202, 413, 202])
  const wide = `{"note":"${'ü'.repeat(9000)}",${JSON.stringify(valid).slice(1)}`
  assert.deepEqual(statuses(lines(await send(stage, wide))), [413])
})

test('a line without end takes no memory', async (t) => {
  const stage = await receiverStage(t)
  const client = new NdjsonClient(stage.url)
  await client.write(valid)
  const block = Buffer.alloc(1024 * 1024, 0x20)
  for (let n = 0; n < 64; n += 1) await client.write(block)
  await client.write('\n', valid)
  assert.deepEqual(statuses(await client.end()), [202, 413, 202])
})

test('results that are much longer than their lines are not kept', async (t) => {
  const stage = await receiverStage(t)
  const count = 20_000
  const answer = await send(stage, '1\n'.repeat(count))
  assert.equal(answer.status, 207)
  assert.equal(lines(answer).length, count)
  assert.equal((await send(stage, ndjson(...Array<object>(5000).fill(valid)))).status, 202)
})

test('clientId and Idempotency-Key make lines good for one entry each', async (t) => {
  const stage = await receiverStage(t)
  const body = ndjson({ ...valid, clientId: 'a' }, { ...valid, clientId: 'a' }, valid)
  const first = lines(await send(stage, body))
  const second = lines(await send(stage, body))
  assert.equal(first[1]?.id, first[0]?.id)
  assert.equal(second[0]?.id, first[0]?.id)
  assert.equal(second[0]?.replayed, true)
  assert.notEqual(second[2]?.id, first[2]?.id)
  const keyed = async (): Promise<readonly ResultLine[]> => {
    const client = new NdjsonClient(stage.url, { 'idempotency-key': '"stream 1"' })
    await client.write(valid, valid)
    return await client.end()
  }
  const ids = (results: readonly ResultLine[]): unknown[] => results.map(({ id }) => id)
  assert.deepEqual(ids(await keyed()), ids(await keyed()))
  assert.equal((await stage.entries()).length, 3 + 2)
})

test('twenty thousand lines get twenty thousand results in order', async (t) => {
  const { url, redis } = await receiverStage(t)
  const client = new NdjsonClient(url)
  const count = 20_000
  for (let n = 0; n < count; n += 1000) {
    await client.write(Array.from({ length: 1000 }, () => jsonLine(valid)).join(''))
  }
  const results = await client.end()
  assert.equal(results.length, count)
  assert.ok(results.every(({ index, status }, n) => index === n && status === 202))
  assert.equal(await redis.send('XLEN', 'ncc:checkins'), count)
})

test('a client that does not read its results is not read from either', async (t) => {
  const stage = await receiverStage(t)
  const socket = connect(Number(new URL(stage.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.pause()
  socket.write(
    'POST /api/checkins HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n',
  )
  const text = jsonLine(valid).repeat(1000)
  const chunk = `${text.length.toString(16)}\r\n${text}\r\n`
  // Until the receiver stops taking: what the two sockets hold is full then.
  const most = 2_000_000
  let sent = 0
  const pour = (): void => {
    let isTaken = true
    for (; isTaken && sent < most; sent += 1000) isTaken = socket.write(chunk)
  }
  socket.on('drain', pour)
  pour()
  const length = async (): Promise<number> => Number(await stage.redis.send('XLEN', 'ncc:checkins'))
  let [seen, sameFor] = [0, 0]
  const isHeld = async (): Promise<boolean> => {
    const now = await length()
    sameFor = now > 0 && now === seen ? sameFor + 1 : 0
    seen = now
    return sameFor >= 10 && socket.writableNeedDrain
  }
  await waitFor(isHeld, { what: 'the receiver to hold back', timeoutMs: 30_000, everyMs: 50 })
  assert.ok(sent < most, `${sent} lines were taken`)
  // It goes on as soon as the results are read.
  socket.resume()
  await waitFor(async () => (await length()) > seen, { what: 'more entries' })
  socket.destroy()
})
