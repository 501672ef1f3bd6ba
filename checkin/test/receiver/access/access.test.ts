/** Who may use the receiver: API keys, tokens, rates, names and origins. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { clientOf, LocalBuckets } from '../../../src/receiver/access/rate-limit.ts'
import { assertRefused, bearer, json, keysOf } from '../../stage/access-stage.ts'
import { receiverStage, valid } from '../../stage/receiver-stage.ts'

test('API keys: what a key does not allow is refused, and nothing is appended', async (t) => {
  const stage = await receiverStage(t, { access: { apiKeys: true } })
  const { post, get, entries, redis } = stage
  const keys = await keysOf(t, stage)
  const sender = await keys.create({ name: 'app', scopes: ['ingest'] })
  const looker = await keys.create({ name: 'board', scopes: ['read'] })
  const watcher = await keys.create({ name: 'prometheus', scopes: ['metrics'] })

  const nothing = await post(valid)
  assertRefused(nothing, 401, /^Bearer realm="checkins"$/)
  assert.match(nothing.text, /Send an API key or a token/)
  assertRefused(await post(valid, { ...json, authorization: 'Basic YTpi' }), 401, /^Bearer/)
  const wrong = sender.text.slice(0, -1) + (sender.text.endsWith('A') ? 'B' : 'A')
  for (const text of [wrong, 'mr_', 'mr_000000000000_' + 'x'.repeat(43), 'x.y.z']) {
    const refused = await post(valid, bearer(text))
    assertRefused(refused, 401, /error="invalid_token"/)
    assert.match(refused.text, /is not valid, or not any more/)
  }
  assertRefused(await post(valid, bearer(looker.text)), 403, /error="insufficient_scope"/)
  assertRefused(await get('/api/users/1', { headers: bearer(sender.text) }), 403, /scope="read"/)
  assertRefused(await get('/metrics'), 401, /Bearer/)
  assertRefused(await get('/metrics', { headers: bearer(looker.text) }), 403, /scope="metrics"/)
  assert.deepEqual(await entries(), [])

  assert.equal((await post(valid, bearer(sender.text))).status, 202)
  assert.equal((await get('/api/users/1', { headers: bearer(looker.text) })).status, 404)
  assert.equal((await get('/api/checkins', { headers: bearer(looker.text) })).status, 200)
  assert.equal((await get('/metrics', { headers: bearer(watcher.text) })).status, 200)
  for (const path of ['/api/users/1', '/api/checkins', '/api/leaderboards/users']) {
    assertRefused(await get(path, { headers: bearer(watcher.text) }), 403, /scope="read"/)
  }
  assert.equal((await get('/api/users/1', { method: 'HEAD' })).status, 401)
  for (const path of ['/livez', '/readyz', '/health', '/openapi.json']) {
    assert.equal((await get(path)).status, 200, path)
  }
  // Redis holds nothing that anybody could send with.
  const stored = JSON.stringify(await redis.send('HGETALL', 'ncc:apikeys'))
  for (const { text } of [sender, looker, watcher]) {
    assert.doesNotMatch(stored, new RegExp(text.slice('mr_000000000000_'.length)))
  }
})

test('API keys: a new one works at once, a revoked one ends, an outage lets nobody in', async (t) => {
  const stage = await receiverStage(t, { access: { apiKeys: true }, bounds: { withinMs: 200 } })
  const { post, server } = stage
  const keys = await keysOf(t, stage)
  server.pause()
  const unknown = await post(valid, bearer(`mr_000000000000_${'x'.repeat(43)}`))
  assert.equal(unknown.status, 503)
  assert.match(unknown.json?.detail ?? '', /cannot be checked now\. The check-in was not recorded/)
  server.resume()
  const { text, apiKey } = await keys.create({ name: 'app', scopes: ['ingest'] })
  const status = async (): Promise<number> => (await post(valid, bearer(text))).status
  await waitFor(async () => (await status()) === 202, { what: 'the key to work', timeoutMs: 2500 })
  assert.equal(await keys.revoke(apiKey.id), true)
  await waitFor(async () => (await status()) === 401, {
    what: 'the key to end',
    timeoutMs: 6000,
    everyMs: 200,
  })
})

test('no secret is ever logged or answered', async (t) => {
  const canary = `mr_0123456789ab_${'Canary'.repeat(7)}C`
  const stage = await receiverStage(t, { access: { apiKeys: true }, logLevel: 'debug' })
  const { post, get, lines, server } = stage
  const answers = [
    await post(valid, bearer(canary)),
    await post(valid, { ...bearer(canary), 'content-type': 'text/plain' }),
    await get(`/nowhere?key=${canary}`, { headers: bearer(canary) }),
    await get(`/api/users/1?key=${canary}`, { headers: { cookie: canary } }),
  ]
  await server.kill9()
  await waitFor(
    async () => {
      const answer = await post(valid, bearer(canary))
      answers.push(answer)
      return answer.status === 503
    },
    { what: 'the loss to be noticed' },
  )
  for (const { text, headers } of answers) {
    assert.doesNotMatch(text + JSON.stringify([...headers]), /Canary/)
  }
  assert.ok(lines.length > 4, 'something was logged')
  assert.doesNotMatch(lines.join('\n'), /Canary/)
})

test('a client that sends more than it may is answered with 429 and says when to go on', async (t) => {
  const { post, get, entries } = await receiverStage(t, { access: { rateLimit: 5 } })
  const answers = await Promise.all(Array.from({ length: 12 }, () => post(valid)))
  const taken = answers.filter(({ status }) => status === 202)
  const limited = answers.filter(({ status }) => status === 429)
  assert.equal(taken.length + limited.length, 12)
  // A slow machine refills the bucket meanwhile.
  assert.ok(taken.length >= 5 && limited.length >= 1, `${taken.length} taken`)
  assert.equal((await entries()).length, taken.length)
  for (const { headers } of answers) {
    assert.equal(headers.get('ratelimit-policy'), '"default";q=5;w=1')
    assert.match(headers.get('ratelimit') ?? '', /^"default";r=[0-4];t=[01]$/)
  }
  assert.match(limited[0]?.headers.get('retry-after') ?? '', /^1$/)
  assert.match(limited[0]?.json?.type ?? '', /#quota-exceeded$/)
  assert.equal((await get('/livez')).headers.get('ratelimit'), null)
  await waitFor(async () => (await post(valid)).status === 202, { what: 'a token to come back' })
})

test('rate limit: each client has its own bucket, by a clock that only goes on', () => {
  let now = 1000
  const buckets = new LocalBuckets(2, () => now)
  const take = (client: string, cost = 1): boolean => buckets.take(client, cost).isTaken
  assert.deepEqual([take('a'), take('a'), take('a'), take('b')], [true, true, false, true])
  now += 499
  assert.equal(take('a'), false)
  now += 1
  assert.deepEqual(buckets.take('a', 1), { isTaken: true, left: 0, fullInMs: 1000, waitMs: 0 })
  now += 100_000
  assert.deepEqual([take('a'), take('a'), take('a')], [true, true, false])
  // More than a bucket holds takes a full one, and is paid for afterwards.
  now += 1000
  assert.deepEqual([take('a', 10), take('a')], [true, false])
  now += 4499
  assert.equal(take('a'), false)
  now += 1
  assert.equal(take('a'), true)
})

test('rate limit: memory is bounded, and who is busy stays limited', () => {
  let now = 0
  const buckets = new LocalBuckets(1, () => now)
  for (let client = 1; client <= 60_000; client += 1) buckets.take(`c${client}`, 1)
  assert.equal(buckets.take('c60000', 1).isTaken, false)
  assert.equal(buckets.take('c1', 1).isTaken, true, 'the oldest is forgotten')
  now += 2000
  assert.equal(buckets.take('c60000', 1).isTaken, true)
})

test('rate limit: an IPv6 client is its network', () => {
  const cases: Record<string, string> = {
    '127.0.0.1': '127.0.0.1',
    '::ffff:10.0.0.1': '10.0.0.1',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8::1': '2001:db8:0:0::/64',
    '::1': '0:0:0:0::/64',
  }
  for (const [address, client] of Object.entries(cases)) assert.equal(clientOf(address), client)
})

test('pages of other origins get nothing, unless they are let in', async (t) => {
  const closed = await receiverStage(t)
  const origin = 'https://app.example'
  const preflight = { origin, 'access-control-request-method': 'POST' }
  const refused = await closed.get('/api/checkin', { method: 'OPTIONS', headers: preflight })
  assert.equal(refused.status, 405)
  assert.equal(refused.headers.get('access-control-allow-origin'), null)

  const { get, post } = await receiverStage(t, { access: { origins: [origin], apiKeys: true } })
  const allowed = await get('/api/checkin', { method: 'OPTIONS', headers: preflight })
  assert.equal(allowed.status, 204)
  assert.equal(allowed.headers.get('access-control-allow-origin'), origin)
  assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /authorization/)
  const others = { ...preflight, origin: 'https://evil.example' }
  assert.equal((await get('/api/checkin', { method: 'OPTIONS', headers: others })).status, 405)
  // No preflight, and an address that there is not.
  const elsewhere = await get('/elsewhere', { method: 'OPTIONS', headers: { origin } })
  assert.deepEqual([elsewhere.status, elsewhere.json?.type], [404, 'about:blank'])
  assert.equal((await get('/api/checkin', { method: 'OPTIONS', headers: { origin } })).status, 405)
  const answer = await post(valid, { ...json, origin })
  assert.equal(answer.status, 401)
  assert.equal(answer.headers.get('access-control-allow-origin'), origin)
  assert.equal(answer.headers.get('vary')?.toLowerCase(), 'origin')
})
