/** What guards against abuse of the receiver: each test falls when its guard is taken out. None depends on the kind of server. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import type { TestClient } from '../../../../testing/test-client.ts'
import { waitFor } from '../../../../testing/wait-for.ts'
import { BoundedCalls } from '../../../src/receiver/limits/bounded-calls.ts'
import { scopedKey } from '../../../src/receiver/ingest/idempotency-key.ts'
import type { Identity, Judgement } from '../../../src/receiver/access/identity.ts'
import { NdjsonStream } from '../../../src/receiver/ingest/ndjson.ts'
import { plainProblem } from '../../../src/receiver/http/problem.ts'
import { SharedBuckets } from '../../../src/receiver/access/shared-buckets.ts'
import { Tokens } from '../../../src/receiver/access/tokens.ts'
import { bearer, issuer, json, keysOf } from '../../stage/access-stage.ts'
import { ndjson } from '../../stage/ndjson-client.ts'
import { receiverStage, valid, type Answer } from '../../stage/receiver-stage.ts'

const unknownKey = (n: number): string => `mr_${String(n).padStart(12, '0')}_${'x'.repeat(43)}`
const listsOfKeys = async (redis: TestClient): Promise<number> => {
  const stats = String(await redis.send('INFO', 'commandstats'))
  return Number(/^cmdstat_hgetall:calls=(\d+)/m.exec(stats)?.[1] ?? 0)
}
const statusesOf = (answers: readonly Answer[]): Set<number> =>
  new Set(answers.map(({ status }) => status))

test('who guesses keys or tokens is limited, and who has one is not', async (t) => {
  const [ours, other] = await Promise.all([issuer(), issuer()])
  const tokens = new Tokens({ keys: { text: ours.pem } })
  const stage = await receiverStage(t, { access: { apiKeys: true, tokens, rateLimit: 2 } })
  const { post, get, entries } = stage
  const { text } = await (await keysOf(t, stage)).create({ name: 'app', scopes: ['ingest'] })
  const wrong = await other.token({ sub: '7', scope: 'ingest' })
  const guesses: readonly (() => Promise<Answer>)[] = [
    () => post(valid, bearer(unknownKey(1))),
    () => post(valid, bearer(wrong)),
    () => post(valid, json),
    () => get('/api/users/1', { headers: bearer(unknownKey(2)) }),
  ]
  for (const guess of guesses) {
    const answers = await Promise.all(Array.from({ length: 20 }, guess))
    assert.ok(statusesOf(answers).has(429), 'some are limited')
    assert.ok([...statusesOf(answers)].every((status) => status === 429 || status === 401))
  }
  assert.deepEqual(await entries(), [])
  assert.equal((await post(valid, bearer(text))).status, 202)
})

test('unknown keys reach Redis once a second, however many come', async (t) => {
  const stage = await receiverStage(t, { access: { apiKeys: true } })
  const { post, redis } = stage
  const { text } = await (await keysOf(t, stage)).create({ name: 'app', scopes: ['ingest'] })
  const before = await listsOfKeys(redis)
  const startedAt = performance.now()
  const asked = async (): Promise<number> => (await listsOfKeys(redis)) - before
  const mayBe = (): number => 1 + (performance.now() - startedAt) / 1000
  // Before anything is known, all wait for one answer.
  const first = await Promise.all(Array.from({ length: 20 }, () => post(valid, bearer(text))))
  assert.deepEqual(statusesOf(first), new Set([202]))
  assert.ok((await asked()) <= mayBe())
  for (let n = 0; n < 20; n += 1) {
    const shown = [unknownKey(1), unknownKey(n), unknownKey(1_000_000 * n)]
    const answers = await Promise.all(shown.map((key) => post(valid, bearer(key))))
    assert.deepEqual(statusesOf(answers), new Set([401]))
  }
  assert.ok((await asked()) <= mayBe(), `${await asked()} lists`)
})

test('each key and each user has one bucket, wherever requests come from', async (t) => {
  const ours = await issuer()
  const tokens = new Tokens({ keys: { text: ours.pem } })
  const access = { apiKeys: true, tokens, rateLimit: 2, trustProxy: 'loopback' }
  const stage = await receiverStage(t, { access })
  const keys = await keysOf(t, stage)
  const one = await keys.create({ name: 'one', scopes: ['ingest'] })
  const two = await keys.create({ name: 'two', scopes: ['ingest'] })
  const tokenOf = (sub: string, jti: string): Promise<string> =>
    ours.token({ sub, jti, scope: 'ingest' })
  const send = async (credentials: string, from: string, userId = 7): Promise<number> => {
    const headers = { ...bearer(credentials), 'x-forwarded-for': from }
    // A minute of the bucket is owed afterwards.
    const body = JSON.stringify(Array.from({ length: 120 }, () => ({ ...valid, userId })))
    return (await stage.get('/api/checkins', { method: 'POST', headers, body })).status
  }
  assert.equal(await send(one.text, '10.0.0.1'), 202)
  assert.equal(await send(one.text, '10.0.0.2'), 429)
  assert.equal(await send(two.text, '10.0.0.1'), 202)
  assert.equal(await send(await tokenOf('7', 'a'), '10.0.0.1'), 202)
  assert.equal(await send(await tokenOf('7', 'b'), '10.0.0.2'), 429)
  assert.equal(await send(await tokenOf('8', 'a'), '10.0.0.1', 8), 202)
  // A user who is named as a key is another one: not limited, though not allowed to send for 7.
  assert.notEqual(await send(await tokenOf(one.apiKey.id, 'a'), '10.0.0.1'), 429)
  assert.equal((await stage.entries()).length, 4 * 120)
})

test('while Redis is away, one request a second waits for the buckets of all', async (t) => {
  const asked: number[] = []
  const told: unknown[] = []
  const buckets = new SharedBuckets({
    perSecond: 10,
    prefix: 'ncc:rate:',
    millrace: { send: () => (asked.push(1), Promise.reject(new Error('away'))) },
    onTrouble: (error) => told.push(error),
  })
  t.mock.method(performance, 'now', () => 5000)
  for (let n = 0; n < 50; n += 1) {
    assert.equal((await buckets.take(`key:${n}`, 1)).isTaken, true)
  }
  assert.deepEqual([asked.length, told.length], [1, 1])
  t.mock.method(performance, 'now', () => 6001)
  await buckets.take('key:0', 1)
  assert.deepEqual([asked.length, told.length], [2, 1])
})

test('idempotency keys of different clients never meet', async (t) => {
  const key = (id: string): Identity => ({ kind: 'key', id, scopes: new Set() })
  const user = (subject: string): Identity => ({ kind: 'token', subject, scopes: new Set() })
  const scoped = [
    scopedKey(null, 'c'),
    scopedKey(user('a:b'), 'c'),
    scopedKey(user('a'), 'b:c'),
    scopedKey(user('a'), 'c'),
    scopedKey(user('b'), 'c'),
    scopedKey(key('a'), 'c'),
    scopedKey(key('b'), 'c'),
    scopedKey(null, 'token:1:a:c'),
  ]
  assert.equal(new Set(scoped).size, scoped.length)

  const ours = await issuer()
  const tokens = new Tokens({ keys: { text: ours.pem } })
  const stage = await receiverStage(t, { access: { apiKeys: true, tokens } })
  const keys = await keysOf(t, stage)
  const [one, two] = [await newKey(), await newKey()]
  async function newKey(): Promise<string> {
    return (await keys.create({ name: 'app', scopes: ['ingest'] })).text
  }
  const clients: readonly (readonly [credentials: string, userId: number])[] = [
    [one, 7],
    [two, 7],
    [await ours.token({ sub: '7', scope: 'ingest' }), 7],
    [await ours.token({ sub: '8', scope: 'ingest' }), 8],
  ]
  for (const [credentials, userId] of clients) {
    const headers = { ...bearer(credentials), 'idempotency-key': '1' }
    const alone = await stage.post({ ...valid, userId }, headers)
    assert.deepEqual([alone.status, alone.headers.get('idempotent-replayed')], [202, null])
    // The same name within a batch is the same key; a key of the batch names its check-ins, too.
    const again = await batch(credentials, [{ ...valid, userId, clientId: '1' }], {})
    assert.match(again.text, /"replayed":true/)
    const named = await batch(credentials, [{ ...valid, userId }], { 'idempotency-key': 'b' })
    assert.equal(named.status, 202)
    assert.doesNotMatch(named.text, /replayed/)
  }
  assert.equal((await stage.entries()).length, 2 * clients.length)

  async function batch(credentials: string, items: object[], more: object): Promise<Answer> {
    const headers = { ...bearer(credentials), ...more }
    const init = { method: 'POST', headers, body: JSON.stringify(items) }
    return await stage.get('/api/checkins', init)
  }
})

test('a token that was believed ends when it expires, and one without an end is none', async (t) => {
  const ours = await issuer()
  const tokens = new Tokens({ keys: { text: ours.pem } })
  const startMs = Math.floor(Date.now() / 1000) * 1000
  t.mock.timers.enable({ apis: ['Date'], now: startMs })
  const judged = async (token: string): Promise<string> => told(await tokens.judge(token))
  const good = { sub: '7', scope: 'ingest' }
  const token = await ours.token(good, {}, startMs / 1000 + 30)
  const long = await ours.token(good, {}, startMs / 1000 + 3600)
  assert.deepEqual([await judged(token), await judged(long)], ['accepted', 'accepted'])
  // Clocks may differ by 5 s.
  t.mock.timers.setTime(startMs + 34_000)
  assert.equal(await judged(token), 'accepted')
  t.mock.timers.setTime(startMs + 36_000)
  assert.deepEqual([await judged(token), await judged(long)], ['expired', 'accepted'])
  t.mock.timers.setTime(startMs + 3606_000)
  assert.equal(await judged(long), 'expired')
  assert.equal(await judged(await ours.token(good, {}, null)), 'wrong-claim')
  const padded = { ...good, pad: 'x'.repeat(9000) }
  assert.equal(await judged(await ours.token(padded, {}, startMs / 1000 + 3660)), 'malformed')
})

test('calls are given up at each timer, also those that began while it ran', async (t) => {
  let now = 1000
  t.mock.method(performance, 'now', () => now)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const calls = new BoundedCalls({ inFlightMax: 100, withinMs: 100 })
  const ended: string[] = []
  const begin = (name: string): void => {
    calls
      .run(() => new Promise(() => undefined))
      .catch((error: unknown) => ended.push(`${name} ${(error as MillraceError).code}`))
  }
  const pass = async (ms: number): Promise<void> => {
    now += ms
    t.mock.timers.tick(ms)
    await turn()
  }
  begin('a')
  await pass(40)
  begin('b')
  await pass(40)
  begin('c')
  await pass(19)
  assert.deepEqual(ended, [])
  await pass(1)
  assert.deepEqual(ended, ['a TIMEOUT'])
  await pass(40)
  assert.deepEqual(ended.slice(1), ['b TIMEOUT'])
  await pass(40)
  assert.deepEqual(ended.slice(2), ['c TIMEOUT'])
  // None was left, so there was no timer any more.
  await pass(500)
  begin('d')
  await pass(100)
  assert.deepEqual(ended.slice(3), ['d TIMEOUT'])
})

test('what cannot be stored is never answered with 202, in whatever form it comes', async (t) => {
  const { post, get, redis } = await receiverStage(t)
  await redis.send('SET', 'ncc:checkins', 'x')
  const send = (type: string, body: string): Promise<Answer> =>
    get('/api/checkins', { method: 'POST', headers: { 'content-type': type }, body })
  const answers = [
    await post(valid),
    await post(valid, { ...json, 'idempotency-key': 'a' }),
    await send('application/json', JSON.stringify([valid])),
    await send('application/x-ndjson', ndjson(valid)),
  ]
  for (const { status, text } of answers) {
    assert.equal(status, 500, text)
    assert.doesNotMatch(text, /"(?:id|accepted)"|"status":202/)
  }
  assert.equal(await redis.send('GET', 'ncc:checkins'), 'x')
})

test('a stream that broke off is never answered as one that was taken', async () => {
  const source = new Readable({ read: () => undefined })
  const stream = new NdjsonStream(source, {
    read: () => ({ item: { values: valid } }),
    append: (items) => Promise.resolve(items.map(() => ({ kind: 'appended', id: '1-0' }))),
    problemOf: () => plainProblem(500, 'There is nothing to fail here'),
    refused: () => undefined,
    untilFree: () => Promise.resolve(undefined),
    closing: new AbortController().signal,
    idleMs: 60_000,
    isWhole: true,
    linesAtOnce: 500,
    waitMaxMs: 60_000,
  })
  const answer = stream.answer()
  source.push(ndjson(valid, valid))
  await waitFor(() => source.readableLength === 0, { what: 'the lines to be read' })
  source.destroy(new Error('cut'))
  const { status, body } = await answer
  assert.equal(status, 207)
  assert.ok(typeof body === 'string')
  assert.match(body, /"status":202.*\n.*"status":202.*\n.*"stoppedAt":2/)
})

function told(judgement: Judgement): string {
  return judgement.kind === 'accepted' ? 'accepted' : judgement.reason
}
