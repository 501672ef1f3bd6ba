import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiverStage, valid, type Answer, type Stage } from '../../stage/receiver-stage.ts'

interface Page {
  readonly checkins: readonly { readonly id: string }[]
  readonly next: string | null
}

const page = ({ json }: Answer): Page => json as unknown as Page
const ids = (answer: Answer): string[] => page(answer).checkins.map(({ id }) => id)

async function status({ get }: Stage, id: string): Promise<Record<string, unknown>> {
  const answer = await get(`/api/checkins/${id}`)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  return answer.json as unknown as Record<string, unknown>
}

test('the state of a check-in is told from waiting to applied, dead and trimmed', async (t) => {
  const stage = await receiverStage(t)
  const { post, redis } = stage
  const id = (await post(valid)).json?.id ?? ''
  const receivedAt = new Date(Number(id.split('-')[0])).toISOString()
  assert.deepEqual(await status(stage, id), { id, status: 'waiting', receivedAt })

  const group = ['ncc:checkins', 'checkinConsumers'] as const
  await redis.send('XGROUP', 'CREATE', ...group, 0)
  const read = ['XREADGROUP', 'GROUP', 'checkinConsumers', 'consumer1', 'COUNT', 10] as const
  await redis.send(...read, 'STREAMS', 'ncc:checkins', '>')
  const pending = await status(stage, id)
  assert.equal(typeof pending.idleMs, 'number')
  const expected = { id, status: 'pending', receivedAt, consumer: 'consumer1', deliveries: 1 }
  assert.deepEqual({ ...pending, idleMs: 0 }, { ...expected, idleMs: 0 })

  await redis.send('XACK', ...group, id)
  assert.equal((await status(stage, id)).status, 'applied')

  const letter = ['id', id, 'reason', 'refused', 'error', 'x', 'consumer', 'c', 'time', '1000']
  await redis.send('XADD', 'ncc:checkins:checkinConsumers:dead', '*', ...letter)
  const diedAt = '1970-01-01T00:00:01.000Z'
  const dead = { id, status: 'dead', receivedAt, reason: 'refused', diedAt }
  assert.deepEqual(await status(stage, id), dead)

  await redis.send('DEL', 'ncc:checkins:checkinConsumers:dead')
  await redis.send('XTRIM', 'ncc:checkins', 'MAXLEN', 0)
  assert.equal((await status(stage, id)).status, 'trimmed')
})

test('a check-in that never was is answered with 404, what is no id with 400', async (t) => {
  const { get, post } = await receiverStage(t)
  assert.equal((await get('/api/checkins/1-1')).status, 404)
  await post(valid)
  for (const id of ['1-1', '0-0', '18446744073709551615-18446744073709551615']) {
    assert.equal((await get(`/api/checkins/${id}`)).status, 404, id)
  }
  for (const id of ['1', 'x', '1-', '-1', '01-1', '1-1-1', '*', '$', '1-18446744073709551616']) {
    assert.equal((await get(`/api/checkins/${encodeURIComponent(id)}`)).status, 400, id)
  }
  assert.equal((await get('/api/checkins/1-1', { method: 'DELETE' })).status, 405)
})

test('an id of the far future is told like any other', async (t) => {
  const stage = await receiverStage(t)
  const id = '18446744073709551614-1'
  await stage.redis.send('XADD', 'ncc:checkins', id, 'userId', 'x')
  const state = await status(stage, id)
  assert.deepEqual(state, { id, status: 'waiting' })
})

test('check-ins of a time come page by page, each once', async (t) => {
  const { get, redis } = await receiverStage(t)
  const all: string[] = []
  for (let n = 0; n < 25; n += 1) {
    const id = `${1000 + Math.floor(n / 2)}-${n % 2}`
    all.push(id)
    const fields = ['locationId', 1, 'userId', n + 1, 'starRating', 3]
    await redis.send('XADD', 'ncc:checkins', id, ...fields)
  }
  assert.deepEqual(ids(await get('/api/checkins')), all)
  assert.equal(page(await get('/api/checkins')).next, null)
  const seen: string[] = []
  let path = '/api/checkins?limit=10'
  for (let pages = 0; pages < 3; pages += 1) {
    const answer = await get(path)
    seen.push(...ids(answer))
    // What is appended meanwhile belongs to a later page.
    await redis.send('XADD', 'ncc:checkins', `${2000 + pages}-0`, 'userId', 1)
    path = `/api/checkins?limit=10&cursor=${page(answer).next ?? ''}`
  }
  assert.deepEqual(seen, [...all, '2000-0', '2001-0'])

  const within = await get('/api/checkins?from=1003&to=1970-01-01T00:00:01.005Z')
  assert.deepEqual(ids(within), ['1003-0', '1003-1', '1004-0', '1004-1', '1005-0', '1005-1'])
  const first = await get('/api/checkins?from=1003&to=1005&limit=4')
  const rest = await get(`/api/checkins?limit=4&cursor=${page(first).next ?? ''}`)
  assert.deepEqual([...ids(first), ...ids(rest)], ids(within))
  assert.equal(page(rest).next, null)
  assert.deepEqual(ids(await get('/api/checkins?from=9000')), [])
})

test('large fields of others make a page shorter, and nothing is behind the last possible id', async (t) => {
  const { get, redis } = await receiverStage(t)
  const all = Array.from({ length: 12 }, (_, n) => `${n + 1}-0`)
  const body = 'x'.repeat(200_000)
  for (const id of all) await redis.send('XADD', 'ncc:checkins', id, 'userId', 1, 'body', body)
  const seen: string[] = []
  let cursor = ''
  for (let path = '/api/checkins?limit=1000'; cursor !== 'null';) {
    const answer = await get(path)
    assert.ok(ids(answer).length <= 3)
    seen.push(...ids(answer))
    cursor = String(page(answer).next)
    path = `/api/checkins?limit=1000&cursor=${cursor}`
  }
  assert.deepEqual(seen, all)
  const latest = ids(await get('/api/checkins/latest?limit=100'))
  assert.deepEqual(latest, all.toReversed().slice(0, latest.length))
  assert.ok(latest.length >= 1 && latest.length <= 3)

  const greatest = '18446744073709551615'
  const last = Buffer.from(`1 ${greatest}-${greatest} +`).toString('base64url')
  assert.deepEqual(page(await get(`/api/checkins?cursor=${last}`)), { checkins: [], next: null })
})

test('a wrong time, limit or cursor is refused with 400', async (t) => {
  const { get } = await receiverStage(t)
  const cursor = Buffer.from('1 5-5 +').toString('base64url')
  assert.equal((await get(`/api/checkins?cursor=${cursor}`)).status, 200)
  const queries = [
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=1&limit=2',
    'from=yesterday',
    'from=2026-11-22',
    'from=-1',
    'to=2026-13-01T00:00:00Z',
    'to=1e3',
    'cursor=',
    'cursor=x',
    `cursor=${Buffer.from('1 5-5 + x').toString('base64url')}`,
    `cursor=${Buffer.from('2 5-5 +').toString('base64url')}`,
    `cursor=${cursor}&from=1`,
    `cursor=${'A'.repeat(5000)}`,
  ]
  for (const query of queries) {
    assert.equal((await get(`/api/checkins?${query}`)).status, 400, query)
  }
})
