import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { waitFor } from '../../../testing/wait-for.ts'
import { receiverStage, valid, type Answer } from '../stage/receiver-stage.ts'

const pointers = ({ json }: Answer): string[] => (json?.errors ?? []).map(({ pointer }) => pointer)

test('a valid check-in is answered with the id of its entry', async (t) => {
  const { post, entries } = await receiverStage(t)
  const answer = await post(valid)
  assert.equal(answer.status, 202)
  const [entry] = await entries()
  assert.deepEqual(entry, [
    answer.json?.id,
    ['locationId', '171', 'userId', '7', 'starRating', '4'],
  ])
})

test('numbers that are integers in another spelling are taken, other fields are left out', async (t) => {
  const { post, entries } = await receiverStage(t)
  const bodies = [
    '{"userId":1.0,"locationId":2e0,"starRating":-0}',
    '{"userId":9007199254740991,"locationId":1,"starRating":5,"note":"x","constructor":1}',
  ]
  for (const body of bodies) assert.equal((await post(body)).status, 202)
  assert.deepEqual(
    (await entries()).map(([, fields]) => fields),
    [
      ['locationId', '2', 'userId', '1', 'starRating', '0'],
      ['locationId', '1', 'userId', '9007199254740991', 'starRating', '5'],
    ],
  )
})

test('every wrong field is named', async (t) => {
  const { post, entries } = await receiverStage(t)
  const all = ['#/userId', '#/locationId', '#/starRating']
  const cases: [body: string, expected: string[]][] = [
    ['{}', all],
    ['{"userId":"5","locationId":true,"starRating":null}', all],
    ['{"userId":1.5,"locationId":1e400,"starRating":-1}', all],
    ['{"userId":0,"locationId":9007199254740993,"starRating":6}', all],
    ['{"userId":[1],"locationId":{"a":1},"starRating":1}', ['#/userId', '#/locationId']],
    ['{"userId":-0,"locationId":1,"starRating":1}', ['#/userId']],
    ['{"userId":1,"starRating":0}', ['#/locationId']],
    ['{"userid":1,"locationId":1,"starRating":0}', ['#/userId']],
    ['{"userId":1,"locationId":1,"starRating":4.5}', ['#/starRating']],
    ['null', ['#']],
    ['[1,2,3]', ['#']],
    ['5', ['#']],
    ['"userId"', ['#']],
  ]
  for (const [body, expected] of cases) {
    const answer = await post(body)
    assert.equal(answer.status, 422, body)
    assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    assert.deepEqual(pointers(answer), expected, body)
    assert.equal(answer.json?.type, '/problems/validation')
  }
  assert.deepEqual(await entries(), [])
})

test('the problem says what is allowed and whether the field is missing', async (t) => {
  const { post } = await receiverStage(t)
  const answer = await post({ userId: 'x', locationId: 1 })
  assert.deepEqual(answer.json, {
    type: '/problems/validation',
    title: 'Check-in is not valid',
    status: 422,
    requestId: answer.headers.get('x-request-id'),
    detail:
      '#/userId must be an integer from 1 to 9007199254740991; #/starRating is missing: it must be an integer from 0 to 5',
    errors: [
      { pointer: '#/userId', detail: 'must be an integer from 1 to 9007199254740991' },
      { pointer: '#/starRating', detail: 'is missing: it must be an integer from 0 to 5' },
    ],
  })
})

test('a body that cannot be read is refused with 400, 413 or 415', async (t) => {
  const { post, entries } = await receiverStage(t)
  const json = { 'content-type': 'application/json' }
  const text = JSON.stringify(valid)
  const gzip = { ...json, 'content-encoding': 'gzip' }
  const cases: [status: number, body: unknown, headers: Record<string, string>][] = [
    [400, '{"userId":', json],
    [400, '', json],
    [400, '{"userId":1,"locationId":1,"starRating":1,}', json],
    [400, '{"userId":NaN,"locationId":1,"starRating":1}', json],
    [413, text + ' '.repeat(16 * 1024), json],
    [415, text, { 'content-type': 'text/plain' }],
    [415, text, { 'content-type': 'application/x-www-form-urlencoded' }],
    [415, text, { 'content-type': 'nonsense' }],
    [415, Buffer.from(text), {}],
    [415, new Uint8Array(gzipSync(text)), gzip],
  ]
  for (const [status, body, headers] of cases) {
    const answer = await post(body, headers)
    assert.equal(answer.status, status, `${String(body).slice(0, 60)} ${JSON.stringify(headers)}`)
    assert.equal(answer.json?.status, status)
    assert.doesNotMatch(answer.text, /FST_|SyntaxError|Unexpected/)
  }
  assert.deepEqual(await entries(), [])
})

test('a body of exactly 16 KB is taken', async (t) => {
  const { post } = await receiverStage(t)
  const text = JSON.stringify(valid)
  assert.equal((await post(text + ' '.repeat(16 * 1024 - text.length))).status, 202)
})

test('another address is answered with 404, another method with 405 and Allow', async (t) => {
  const { get } = await receiverStage(t)
  for (const [path, method] of [
    ['/', 'GET'],
    ['/api', 'POST'],
    ['/api/checkin/', 'POST'],
    ['/api/users', 'GET'],
    ['/api/users/1/2', 'DELETE'],
  ] as const) {
    assert.equal((await get(path, { method })).status, 404, path)
  }
  const resources = { '/api/checkin': 'POST', '/api/users/1': 'GET, HEAD', '/health': 'GET, HEAD' }
  for (const [path, allow] of Object.entries(resources)) {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const answer = await get(path, { method })
      assert.equal(answer.status, 405, `${method} ${path}`)
      assert.equal(answer.headers.get('allow'), allow)
    }
  }
  assert.equal((await get('/api/checkin')).status, 405)
  assert.equal((await get('/api/users/1', { method: 'POST', body: 'x' })).status, 405)
})

test('users and locations are shown with numbers, and nothing that is not public', async (t) => {
  const access = { publicFields: ['nickname', '__proto__'] }
  const { get, redis } = await receiverStage(t, { access })
  const user = ['firstName', 'Ada', 'password', 'x', 'numCheckins', '3', 'lastCheckin', '16096020']
  await redis.send('HSET', 'ncc:users:12', 'id', 12, ...user, '@latest', '1-1', '__proto__', 'p')
  await redis.send('HSET', 'ncc:users:12', 'email', 'a@example.com', 'ssn', '7', 'nickname', 'A')
  await redis.send('HSET', 'ncc:locations:3', 'name', '7', 'averageStars', 4, 'numStars', 'broken')
  for (const path of ['/api/users/12', '/api/user/12']) {
    const answer = await get(path)
    assert.equal(answer.status, 200)
    assert.equal(
      answer.text,
      '{"id":12,"firstName":"Ada","numCheckins":3,"lastCheckin":16096020,"__proto__":"p","nickname":"A"}',
    )
  }
  for (const path of ['/api/locations/3', '/api/location/%33']) {
    const expected = { id: 3, name: '7', averageStars: 4, numStars: 'broken' }
    assert.deepEqual((await get(path)).json, expected)
  }
  assert.equal((await get('/api/users/3')).status, 404)
  assert.equal((await get('/api/users/12', { method: 'HEAD' })).status, 200)
  for (const id of ['0', '-1', '01', '1.0', 'x', '9007199254740993', '1:2', '%00', '*']) {
    assert.equal((await get(`/api/users/${id}`)).status, 400, id)
  }
  assert.equal((await get('/api/users/%zz')).status, 400)
})

test('latest check-ins come newest first, as many as asked for', async (t) => {
  const { get, post, redis } = await receiverStage(t)
  assert.deepEqual((await get('/api/checkins/latest')).json, { checkins: [] })
  await redis.send('XADD', 'ncc:checkins', '1-1', 'userId', 'x', 'extra', 'y', 'starRating', '3')
  const id = (await post(valid)).json?.id
  assert.deepEqual((await get('/api/checkins/latest')).json, { checkins: [{ id, ...valid }] })
  assert.deepEqual((await get('/api/checkins/latest?limit=100')).json, {
    checkins: [
      { id, ...valid },
      { id: '1-1', userId: 'x', locationId: null, starRating: 3 },
    ],
  })
  for (const limit of ['0', '101', '-1', 'x', '', '1&limit=2']) {
    assert.equal((await get(`/api/checkins/latest?limit=${limit}`)).status, 400, limit)
  }
})

test('health says that Redis answers', async (t) => {
  const { get } = await receiverStage(t)
  const answer = await get('/health')
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.json, {
    status: 'ok',
    redis: 'reachable',
    durability: 'none',
    waitReplicas: 0,
  })
})

test('a receiver that is closed answers what it has in flight', async (t) => {
  const { server, receiver, post, entries, appendsBegun } = await receiverStage(t)
  server.pause()
  const answers = Array.from({ length: 20 }, () => post(valid))
  await waitFor(() => appendsBegun() === 20, { what: 'all 20 to be in flight' })
  const closed = receiver.close()
  server.resume()
  const ids = (await Promise.all(answers)).map(({ json }) => json?.id)
  await closed
  assert.deepEqual(new Set(ids), new Set((await entries()).map(([id]) => id)))
  await assert.rejects(post(valid))
})
