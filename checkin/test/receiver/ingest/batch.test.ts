import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import type { ResultLine } from '../../stage/ndjson-client.ts'
import { receiverStage, valid, type Answer, type Stage } from '../../stage/receiver-stage.ts'

interface Results {
  readonly accepted: number
  readonly rejected: number
  readonly results: readonly ResultLine[]
}

const json = { 'content-type': 'application/json' }

function batch(
  { get }: Pick<Stage, 'get'>,
  body: unknown,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const init = { method: 'POST', headers: { ...json, ...headers }, body: text }
  return get(`/api/checkins${query}`, init)
}

const resultsOf = (answer: Answer): Results => answer.json as unknown as Results
const statuses = (answer: Answer): number[] => resultsOf(answer).results.map(({ status }) => status)
const ids = (answer: Answer): (string | undefined)[] =>
  resultsOf(answer).results.map(({ id }) => id)

const wrong = { ...valid, starRating: 6 }

test('a batch of valid check-ins gets 202 and an id for each, in order', async (t) => {
  const stage = await receiverStage(t)
  const items = Array.from({ length: 1000 }, (_, n) => ({ ...valid, userId: n + 1 }))
  const answer = await batch(stage, items)
  assert.equal(answer.status, 202)
  const { accepted, rejected, results } = resultsOf(answer)
  assert.deepEqual([accepted, rejected], [1000, 0])
  assert.deepEqual(
    results.map(({ index }) => index),
    items.map((_, index) => index),
  )
  const expected = items.map(({ userId }, n) => [
    results[n]?.id,
    ['locationId', '171', 'userId', String(userId), 'starRating', '4'],
  ])
  assert.deepEqual(await stage.entries(), expected)
})

test('a mixed batch gets 207, and each wrong one its problem', async (t) => {
  const stage = await receiverStage(t)
  const items = [valid, wrong, 'x', null, [], { ...valid, clientId: 7 }, valid]
  const answer = await batch(stage, items)
  assert.equal(answer.status, 207)
  assert.deepEqual(statuses(answer), [202, 422, 422, 422, 422, 422, 202])
  const { accepted, rejected, results } = resultsOf(answer)
  assert.deepEqual([accepted, rejected], [2, 5])
  assert.deepEqual(
    results.map(({ problem }) => problem?.errors?.[0]?.pointer),
    [undefined, '#/starRating', '#', '#', '#', '#/clientId', undefined],
  )
  assert.equal((await stage.entries()).length, 2)
})

test('a batch of which nothing is valid gets 422 with the results', async (t) => {
  const stage = await receiverStage(t)
  const answer = await batch(stage, [wrong, wrong])
  assert.equal(answer.status, 422)
  assert.equal(answer.json?.type, '/problems/none-accepted')
  assert.deepEqual(statuses(answer), [422, 422])
  assert.deepEqual(await stage.entries(), [])
})

test('what is no array of 1 to 1,000 items, or longer than 1 MB, is refused', async (t) => {
  const stage = await receiverStage(t)
  for (const body of [valid, [], 'null', '5', '"x"']) {
    const answer = await batch(stage, body)
    assert.equal(answer.status, 422, JSON.stringify(body))
    assert.equal(answer.json?.errors?.[0]?.pointer, '#')
  }
  assert.equal((await batch(stage, '[')).status, 400)
  assert.equal((await batch(stage, '')).status, 400)
  assert.equal((await batch(stage, Array(1001).fill(valid))).status, 413)
  const text = JSON.stringify([valid])
  const long = text + ' '.repeat(1024 * 1024 + 1 - text.length)
  assert.equal((await batch(stage, long)).status, 413)
  assert.equal((await batch(stage, text, { query: '?atomic=yes' })).status, 400)
  const media = await stage.get('/api/checkins', {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: text,
  })
  assert.equal(media.status, 415)
  assert.deepEqual(await stage.entries(), [])
  assert.equal((await batch(stage, long.slice(0, -1))).status, 202)
})

test('with atomic=true all are recorded or none', async (t) => {
  const stage = await receiverStage(t)
  const refused = await batch(stage, [valid, wrong, valid], { query: '?atomic=true' })
  assert.equal(refused.status, 422)
  assert.deepEqual(statuses(refused), [424, 422, 424])
  assert.deepEqual(await stage.entries(), [])
  await batch(stage, [{ ...valid, clientId: 'a' }])
  const reused = [{ ...valid, clientId: 'b' }, { ...valid, userId: 8, clientId: 'a' }, valid]
  const second = await batch(stage, reused, { query: '?atomic=true' })
  assert.equal(second.status, 422)
  assert.deepEqual(statuses(second), [424, 422, 424])
  assert.equal((await stage.entries()).length, 1)
  const all = await batch(stage, [valid, { ...valid, clientId: 'a' }], { query: '?atomic=true' })
  assert.equal(all.status, 202)
  assert.equal((await stage.entries()).length, 2)
})

test('a clientId makes its check-in one entry, however it comes again', async (t) => {
  const stage = await receiverStage(t)
  const items = ['a', 'b', 'a'].map((clientId) => ({ ...valid, clientId }))
  const first = await batch(stage, items)
  assert.deepEqual(statuses(first), [202, 202, 202])
  const [a, b, again] = ids(first)
  assert.equal(again, a)
  assert.deepEqual(
    resultsOf(first).results.map(({ replayed }) => replayed),
    [undefined, undefined, true],
  )
  const more = await batch(stage, [
    { ...valid, clientId: 'b' },
    { ...valid, userId: 9, clientId: 'a' },
    valid,
  ])
  assert.equal(more.status, 207)
  assert.deepEqual(statuses(more), [202, 422, 202])
  assert.equal(ids(more)[0], b)
  assert.equal(resultsOf(more).results[1]?.problem?.type, '/problems/idempotency-key-reused')
  // Alone, with the id as its Idempotency-Key, it is the same check-in.
  const single = await stage.post(valid, { ...json, 'idempotency-key': '"a"' })
  assert.equal(single.json?.id, a)
  assert.equal((await stage.entries()).length, 3)
})

test('a batch with an Idempotency-Key is recorded once', async (t) => {
  const stage = await receiverStage(t)
  const options = { headers: { 'idempotency-key': 'batch-1' } }
  const first = await batch(stage, [valid, valid, { ...valid, clientId: 'c' }], options)
  const second = await batch(stage, [valid, valid, { ...valid, clientId: 'c' }], options)
  assert.deepEqual(ids(second), ids(first))
  assert.equal(new Set(ids(first)).size, 3)
  const other = await batch(stage, [valid, wrong, { ...valid, userId: 1 }], options)
  assert.deepEqual(statuses(other), [202, 422, 202])
  const changed = await batch(stage, [{ ...valid, userId: 2 }], options)
  assert.equal(changed.status, 422)
  const malformed = await batch(stage, [valid], { headers: { 'idempotency-key': 'a b' } })
  assert.equal(malformed.status, 400)
  assert.equal((await stage.entries()).length, 4)
})

test('a clientId is a text of 1 to 255 characters that survives being encoded', async (t) => {
  const stage = await receiverStage(t)
  const bad = ['', 'x'.repeat(256), 'a\u0000', 'a\n', '\ud800', '\ufffd', 1, true, null, {}, []]
  const answer = await batch(
    stage,
    bad.map((clientId) => ({ ...valid, clientId })),
  )
  assert.deepEqual(
    statuses(answer),
    bad.map(() => 422),
  )
  const good = ['x'.repeat(255), 'ü', '😀', ' ', '__proto__', '"'].map((clientId) => ({
    ...valid,
    clientId,
  }))
  assert.equal((await batch(stage, good)).status, 202)
  assert.equal((await stage.entries()).length, good.length)
})

test('the trace context of a batch is carried into its entries, and is no part of a key', async (t) => {
  const stage = await receiverStage(t)
  const trace = (n: number) => ({
    headers: { traceparent: `00-${String(n).repeat(32)}-${'1'.repeat(16)}-01` },
  })
  const first = await batch(stage, [{ ...valid, clientId: 'a' }, valid], trace(1))
  const again = await batch(stage, [{ ...valid, clientId: 'a' }], trace(2))
  assert.equal(ids(again)[0], ids(first)[0])
  for (const [, fields] of await stage.entries()) {
    assert.deepEqual(fields.slice(6), ['traceparent', `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`])
  }
})

test('a batch whose reply is lost has an unknown outcome, and its ids tell it', async (t) => {
  const stage = await receiverStage(t)
  await batch(stage, [valid])
  const items = ['a', 'b'].map((clientId) => ({ ...valid, clientId }))
  stage.proxy.cutBeforeReply('EVALSHA')
  const lost = await batch(stage, items)
  assert.equal(lost.status, 503)
  assert.equal(lost.json?.type, '/problems/outcome-unknown')
  const again = await waitFor(
    async () => {
      const answer = await batch(stage, items)
      return answer.status === 202 && answer
    },
    { what: 'an answer' },
  )
  assert.ok(resultsOf(again).results.every(({ replayed }) => replayed === true))
  assert.equal((await stage.entries()).length, 3)
})
