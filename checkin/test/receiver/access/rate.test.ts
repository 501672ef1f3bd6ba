/** The rate limit counts check-ins, for all receivers together; and streams have shares. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'millrace'
import { waitFor } from '../../../../testing/wait-for.ts'
import { SharedBuckets } from '../../../src/receiver/access/shared-buckets.ts'
import { NdjsonClient, ndjson } from '../../stage/ndjson-client.ts'
import { receiverStage, valid } from '../../stage/receiver-stage.ts'

const json = { 'content-type': 'application/json' }

test('a batch costs as many tokens as it has check-ins', async (t) => {
  const { get, post, entries } = await receiverStage(t, { access: { rateLimit: 5 } })
  const body = JSON.stringify(Array.from({ length: 50 }, () => valid))
  const send = () => get('/api/checkins', { method: 'POST', headers: json, body })
  assert.equal((await send()).status, 202)
  // Ten seconds are owed.
  for (const answer of [await send(), await post(valid), await get('/api/checkins')]) {
    assert.equal(answer.status, 429)
    const afterS = Number(answer.headers.get('retry-after'))
    assert.ok(afterS >= 2 && afterS <= 11, `${afterS} s`)
  }
  assert.equal((await entries()).length, 50)
})

test('receivers share the bucket of a client, and count on their own while Redis is away', async (t) => {
  const { server } = await receiverStage(t)
  const troubles: unknown[] = []
  const processes = await Promise.all(
    [1, 2, 3].map(async () => {
      const millrace = await connect({ url: server.url })
      t.after(() => millrace.close())
      const onTrouble = (error: unknown) => troubles.push(error)
      return new SharedBuckets({ perSecond: 100, millrace, prefix: 'ncc:rate:', onTrouble })
    }),
  )
  const startedAt = performance.now()
  let taken = 0
  for (let n = 0; n < 300; n += 1) {
    const allowance = await processes[n % 3]?.take('key:a', 1)
    if (allowance?.isTaken === true) taken += 1
  }
  const refilled = (performance.now() - startedAt) / 10
  assert.ok(taken >= 50 && taken <= 100 + refilled + 1, `${taken}, ${refilled} refilled`)
  assert.deepEqual(troubles, [])
  server.pause()
  const alone = await processes[0]?.take('key:b', 1)
  assert.equal(alone?.isTaken, true)
  assert.equal(troubles.length, 1)
})

test('a receiver takes a tenth of the bucket of all at once, or what it lacks', async (t) => {
  const { server } = await receiverStage(t)
  const millrace = await connect({ url: server.url })
  t.after(() => millrace.close())
  const asked: string[][] = []
  const send = (...args: string[]) => {
    // What it lacks for this one, for a first refusal, and what it would like to have.
    asked.push(args.slice(-3))
    return millrace.send(...args)
  }
  const onTrouble = assert.ifError
  const buckets = new SharedBuckets({
    perSecond: 100,
    millrace: { send },
    prefix: 'ncc:rate:',
    onTrouble,
  })
  t.mock.method(performance, 'now', () => 5000)
  assert.equal((await buckets.take('key:c', 1)).isTaken, true)
  assert.equal((await buckets.take('key:c', 12)).isTaken, true)
  assert.deepEqual(asked, [
    ['1', '1', '10'],
    ['3', '3', '3'],
  ])
})

test('a stream is slowed down to the rate', async (t) => {
  const { url, entries } = await receiverStage(t, { access: { rateLimit: 20 } })
  const client = new NdjsonClient(url)
  const startedAt = performance.now()
  await client.write(ndjson(...Array.from({ length: 50 }, () => valid)))
  const results = await client.end()
  assert.ok(performance.now() - startedAt >= 1000, 'of 50, 19 are there at once')
  assert.deepEqual([results.length, (await entries()).length], [50, 50])
})

test('a client has its share of the streams, and others get theirs', async (t) => {
  const access = { trustProxy: 'loopback' }
  const { url, get } = await receiverStage(t, { access, streams: { max: 4, each: 2 } })
  const open = async (address: string): Promise<NdjsonClient> => {
    const client = new NdjsonClient(url, { 'x-forwarded-for': address })
    t.after(() => client.destroy())
    await client.write(valid)
    await waitFor(() => client.status !== undefined, { what: 'an answer' })
    return client
  }
  const first = await open('10.0.0.1')
  const statuses = [first.status]
  for (const address of ['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']) {
    statuses.push((await open(address)).status)
  }
  assert.deepEqual(statuses, [207, 207, 429, 207, 207, 503])
  // A body of known, short length needs no slot.
  const headers = { 'content-type': 'application/x-ndjson', 'x-forwarded-for': '10.0.0.1' }
  const short = { method: 'POST', headers, body: ndjson(valid) }
  assert.equal((await get('/api/checkins', short)).status, 202)
  await first.end()
  assert.equal((await open('10.0.0.1')).status, 207)
})

test('wrong lines keep no stream alive', async (t) => {
  const { url } = await receiverStage(t, { timeouts: { streamIdleMs: 300 } })
  const client = new NdjsonClient(url)
  t.after(() => client.destroy())
  const dripping = setInterval(() => void client.write('x\n'), 50)
  t.after(() => clearInterval(dripping))
  await waitFor(() => client.results.at(-1)?.stoppedAt !== undefined, { what: 'the end' })
  assert.equal(client.results.at(-1)?.problem?.detail, 'No valid line came for too long')
})
