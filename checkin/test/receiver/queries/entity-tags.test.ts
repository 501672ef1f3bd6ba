import assert from 'node:assert/strict'
import { test } from 'node:test'
import { locationOf, readingStage, userOf } from '../../stage/reading-stage.ts'

const reads = [
  '/api/users/1',
  '/api/user/1',
  '/api/locations/1',
  '/api/locations/nearby?lat=38.7&lng=-9.1',
  '/api/leaderboards/users',
  '/api/leaderboards/locations?by=checkins',
  '/api/checkins/latest?limit=5',
]

const data = { users: [userOf(1, 5)], locations: [locationOf(1)] }

for (const path of reads) {
  test(`GET ${path} is answered with 304 to a client that has the answer`, async (t) => {
    const { get } = await readingStage(t, data)
    const first = await get(path)
    const tag = first.headers.get('etag') ?? ''
    assert.match(tag, /^"[A-Za-z0-9_-]{27}"$/)
    assert.equal(first.headers.get('cache-control'), 'private, no-cache')
    const ask = (value: string, method = 'GET') =>
      get(path, { method, headers: { 'if-none-match': value } })
    for (const value of [tag, `W/${tag}`, '*', ` "x" , ${tag},"y"`, `"", W/${tag}`]) {
      const answer = await ask(value)
      assert.equal(answer.status, 304, value)
      assert.equal(answer.text, '')
      assert.equal(answer.headers.get('etag'), tag)
      assert.equal(answer.headers.get('content-type'), null)
    }
    for (const value of ['""', '"x"', tag.slice(1, -1), `${tag.slice(0, -1)}x"`, '"', 'W/', ',,']) {
      const answer = await ask(value)
      assert.equal(answer.status, 200, value)
      assert.equal(answer.text, first.text)
    }
    const head = await get(path, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('etag'), head.text], [200, tag, ''])
    assert.equal(head.headers.get('content-length'), String(Buffer.byteLength(first.text)))
    const same = await ask(tag, 'HEAD')
    assert.equal(same.status, 304)
    assert.equal(same.headers.get('content-length'), head.headers.get('content-length'))
  })
}

test('an answer that has changed has another tag, and problems have none', async (t) => {
  const { get, redis } = await readingStage(t, data)
  const tag = (await get('/api/users/1')).headers.get('etag') ?? ''
  await redis.send('HSET', 'ncc:users:1', 'numCheckins', '6')
  const answer = await get('/api/users/1', { headers: { 'if-none-match': tag } })
  assert.equal(answer.status, 200)
  assert.notEqual(answer.headers.get('etag'), tag)
  for (const path of ['/api/users/2', '/api/users/x', '/api/locations/nearby', '/health']) {
    const other = await get(path, { headers: { 'if-none-match': '*' } })
    assert.notEqual(other.status, 304, path)
    assert.equal(other.headers.get('etag'), null, path)
  }
})
