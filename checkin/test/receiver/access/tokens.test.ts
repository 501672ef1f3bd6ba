/** Tokens: whom they let in, and to what. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import { Tokens } from '../../../src/receiver/access/tokens.ts'
import { assertRefused, bearer, issuer } from '../../stage/access-stage.ts'
import { readingStage, userOf } from '../../stage/reading-stage.ts'
import { receiverStage, valid } from '../../stage/receiver-stage.ts'

test('tokens: only the user of a valid token may be checked in', async (t) => {
  const [ours, other] = await Promise.all([issuer(), issuer()])
  const tokens = new Tokens({ keys: { text: ours.pem }, issuer: 'me', audience: 'checkins' })
  const { post, entries } = await receiverStage(t, { access: { tokens } })
  const good = { sub: '7', iss: 'me', aud: 'checkins' }
  const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"7","exp":9999999999}')}.`
  const refused = [
    unsigned,
    await other.token(good),
    await ours.token(good, {}, 1),
    await ours.token({ ...good, iss: 'you' }),
    await ours.token({ ...good, aud: 'others' }),
    await ours.token({ iss: 'me', aud: 'checkins' }),
    await ours.token({ ...good, sub: 'x'.repeat(300) }),
    (await ours.token(good)).slice(0, -4) + 'AAAA',
    `${btoa('{"alg":"HS256"}')}.${btoa('{"sub":"7"}')}.AAAA`,
    'x'.repeat(9000),
  ]
  for (const token of refused) assertRefused(await post(valid, bearer(token)), 401, /invalid_token/)
  const token = await ours.token({ ...good, scope: 'ingest' })
  const another = await post({ ...valid, userId: 8 }, bearer(token))
  assert.equal(another.status, 403)
  assert.equal(another.json?.type, '/problems/another-user')
  assert.deepEqual(await entries(), [])
  for (let time = 1; time <= 2; time += 1) {
    assert.equal((await post(valid, bearer(token))).status, 202)
  }
})

test('tokens: a token may what its scopes name, and without one of ours nothing', async (t) => {
  const ours = await issuer()
  const tokens = new Tokens({ keys: { text: ours.pem } })
  const { post, get, entries } = await receiverStage(t, { access: { tokens } })
  const claims = [
    {},
    { scope: 'openid profile' },
    { scope: 'read' },
    { scp: 'read profile' },
    { scp: ['read'] },
    { scope: 7, scp: { ingest: true } },
    { scope: 'ingestion' },
  ]
  for (const claim of claims) {
    const token = await ours.token({ sub: '7', ...claim })
    assertRefused(await post(valid, bearer(token)), 403, /insufficient_scope", scope="ingest"/)
    const mayRead = JSON.stringify(claim).includes('read')
    const { status } = await get('/api/leaderboards/users', { headers: bearer(token) })
    assert.equal(status, mayRead ? 200 : 403, JSON.stringify(claim))
  }
  assert.deepEqual(await entries(), [])
  for (const claim of [{ scope: 'a ingest' }, { scp: 'ingest' }, { scp: ['x', 'ingest'] }]) {
    assert.equal((await post(valid, bearer(await ours.token({ sub: '7', ...claim })))).status, 202)
  }
  const longest = await ours.token({ sub: 'x'.repeat(255), scope: 'read' })
  assert.equal(
    (await get('/api/leaderboards/users', { headers: bearer(longest) })).status,
    200,
    'the longest subject',
  )
  const generous = new Tokens({ keys: { text: ours.pem }, defaultScopes: ['ingest'] })
  const other = await receiverStage(t, { access: { tokens: generous } })
  const unscoped = bearer(await ours.token({ sub: '7', scope: 'openid' }))
  assert.equal((await other.post(valid, unscoped)).status, 202)
  const reader = bearer(await ours.token({ sub: '7', scope: 'read' }))
  assertRefused(await other.post(valid, reader), 403, /insufficient_scope/)
})

test('tokens: ID and refresh tokens, too long a life and a future are refused', async (t) => {
  const ours = await issuer()
  const keys = { text: ours.pem }
  const good = { sub: '7', scope: 'ingest' }
  const nowS = Math.floor(Date.now() / 1000)
  const { post } = await receiverStage(t, { access: { tokens: new Tokens({ keys }) } })
  const refused = [
    await ours.token(good, { typ: 'refresh+jwt' }),
    await ours.token(good, { typ: 'logout+jwt' }),
    await ours.token({ ...good, nonce: 'n' }),
    await ours.token({ ...good, at_hash: 'h' }),
    await ours.token({ ...good, token_use: 'id' }),
    await ours.token({ ...good, typ: 'Refresh' }),
    await ours.token(good, {}, '10y'),
    await ours.token({ ...good, iat: nowS - 25 * 3600 }, {}, '1h'),
    await ours.token({ ...good, iat: nowS + 3600 }, {}, '2h'),
  ]
  for (const [at, token] of refused.entries()) {
    const { status } = await post(valid, bearer(token))
    assert.equal(status, 401, `token ${at}`)
  }
  const taken = [
    await ours.token(good, { typ: 'JWT' }),
    await ours.token(good, { typ: 'application/at+jwt' }),
    await ours.token({ ...good, token_use: 'access', iat: nowS + 2 }),
    await ours.token({ ...good, typ: 'Bearer', iat: nowS }, {}, '23h'),
  ]
  for (const token of taken) assert.equal((await post(valid, bearer(token))).status, 202)
  const strict = new Tokens({ keys, type: 'at+jwt', lifetimeMaxS: 600 })
  const other = await receiverStage(t, { access: { tokens: strict } })
  const atJwt = { typ: 'at+jwt' }
  assert.equal((await other.post(valid, bearer(await ours.token(good, {}, '5m')))).status, 401)
  assert.equal((await other.post(valid, bearer(await ours.token(good, atJwt, '1h')))).status, 401)
  assert.equal((await other.post(valid, bearer(await ours.token(good, atJwt, '5m')))).status, 202)
})

test("tokens: a user's token reads its own user and its own check-ins alone", async (t) => {
  const ours = await issuer()
  const tokens = new Tokens({ keys: { text: ours.pem } })
  const data = { users: [userOf(7, 1), userOf(8, 1)] }
  const { get, post, redis } = await readingStage(t, data, { access: { tokens } })
  const all = { scope: 'ingest read' }
  const mine = bearer(await ours.token({ sub: '7', ...all }))
  const theirs = bearer(await ours.token({ sub: '8', ...all }))
  const user = async (id: number, headers: Record<string, string>) =>
    await get(`/api/users/${id}`, { headers })
  const own = (await user(7, mine)).json as Record<string, unknown>
  assert.deepEqual([own.firstName, own.email], ['First 7', '7@example.com'])
  for (const path of ['/api/users/8', '/api/user/8', '/api/users/9']) {
    const answer = await get(path, { headers: mine })
    assert.deepEqual([answer.status, answer.json?.type], [403, '/problems/another-user'])
  }
  for (const path of ['/api/checkins', '/api/checkins/latest', '/metrics']) {
    assertRefused(await get(path, { headers: mine }), 403, /scope="(?:read-all|metrics)"/)
  }
  for (const path of ['/api/locations/1', '/api/leaderboards/users']) {
    assert.notEqual((await get(path, { headers: mine })).status, 403, path)
  }

  const sent = await post(valid, mine)
  const location = sent.headers.get('location') ?? ''
  assert.equal((await get(location, { headers: mine })).json?.status, 'waiting')
  const hidden = await get(location, { headers: theirs })
  const none = await get('/api/checkins/9999999999999-0', { headers: theirs })
  assert.deepEqual([hidden.status, hidden.json?.detail], [404, none.json?.detail])
  // Its entry is gone: nothing says whose it was.
  await redis.send('XREADGROUP', 'GROUP', 'checkinConsumers', 'ada', 'STREAMS', 'ncc:checkins', '>')
  await redis.send('XDEL', 'ncc:checkins', sent.json?.id ?? '')
  assert.equal((await get(location, { headers: theirs })).status, 404)

  const everybodys = bearer(await ours.token({ sub: '7', scope: 'read-all' }))
  const other = (await user(8, everybodys)).json as Record<string, unknown>
  assert.deepEqual([other.firstName, other.email], ['First 8', undefined])
  assert.equal((await get('/api/checkins', { headers: everybodys })).status, 200)
  const clerk = bearer(await ours.token({ sub: 'clerk', scope: 'read-all personal' }))
  const seen = (await user(8, clerk)).json as Record<string, unknown>
  assert.equal(seen.email, '8@example.com')
})

test('tokens: private and symmetric keys are no keys to check with', async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const texts = [
    JSON.stringify(await exportJWK(privateKey)),
    '{"kty":"oct","k":"AAAA"}',
    '{"keys":[]}',
    '-----BEGIN PRIVATE KEY-----',
    'nonsense',
  ]
  for (const text of texts) assert.throws(() => new Tokens({ keys: { text } }), text)
})
