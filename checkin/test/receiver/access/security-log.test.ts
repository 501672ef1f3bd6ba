/** What the log says of those who are turned away. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecurityLog } from '../../../src/receiver/access/security-log.ts'
import { Tokens } from '../../../src/receiver/access/tokens.ts'
import { bearer, issuer, keysOf } from '../../stage/access-stage.ts'
import { collectingLog, receiverStage, valid } from '../../stage/receiver-stage.ts'

test('who is turned away is told once with the reason and the address, then counted', async (t) => {
  const ours = await issuer()
  const tokens = new Tokens({ keys: { text: ours.pem }, audience: 'us' })
  const access = { tokens, apiKeys: true, trustProxy: 'loopback', hosts: ['ours.example'] }
  const stage = await receiverStage(t, { access })
  const { post, get, receiver, lines } = stage
  const reader = await (await keysOf(t, stage)).create({ name: 'board', scopes: ['read'] })
  const from = (address: string, headers = {}) => ({ ...headers, 'x-forwarded-for': address })
  const good = { sub: '7', aud: 'us', scope: 'ingest' }
  const wrong = await ours.token({ ...good, aud: 'others' })
  for (let n = 0; n < 50; n += 1) await post(valid, from('10.1.1.1', bearer(wrong)))
  await post(valid, from('10.1.1.2', bearer(await ours.token(good, {}, 1))))
  await post(valid, { 'content-type': 'application/json' })
  const key = `mr_000000000000_${'Canary'.repeat(7)}C`
  await post(valid, bearer(key))
  await get('/metrics', { headers: bearer(reader.text) })
  const own = bearer(await ours.token(good))
  await post({ ...valid, userId: 8 }, own)
  const batch = JSON.stringify([8, 9, 7].map((userId) => ({ ...valid, userId })))
  await get('/api/checkins', { method: 'POST', headers: own, body: batch })

  assert.deepEqual(
    lines.filter((line) => line.startsWith('Turned away')),
    [
      'Turned away 10.1.1.1 (7) with 401: wrong-audience.',
      'Turned away 10.1.1.2 (7) with 401: expired.',
      'Turned away 127.0.0.1 with 401: no-credentials.',
      'Turned away 127.0.0.1 (000000000000) with 401: unknown-key.',
      `Turned away 127.0.0.1 (${reader.apiKey.id}) with 403: missing-scope.`,
      'Turned away 127.0.0.1 (7) with 403: another-user.',
    ],
  )
  const watcher = bearer(await ours.token({ ...good, scope: 'metrics' }))
  const { text } = await get('/metrics', { headers: watcher })
  assert.match(text, /^checkin_turned_away_total\{reason="wrong-audience"\} 50$/m)
  assert.match(text, /^checkin_turned_away_total\{reason="another-user"\} 3$/m)
  await receiver.close()
  assert.ok(lines.includes('Turned away 10.1.1.1 (7) with 401: wrong-audience: 49 more.'))
  assert.ok(lines.includes('Turned away 127.0.0.1 (7) with 403: another-user: 2 more.'))
  assert.doesNotMatch(lines.join('\n'), /Canary/)
})

test('the log of refusals is bounded, and no name acts on a terminal', () => {
  const { log, lines } = collectingLog()
  const security = new SecurityLog(log, { turnedAway: () => undefined })
  const refuse = (n: number): void => {
    const request = { ip: `10.0.${n >> 8}.${n & 255}`, id: 'x', method: 'GET', routeOptions: {} }
    const who = `evil\u001b[2J${'x'.repeat(200)}`
    security.refused(request as never, { status: 401, reason: 'expired', who })
  }
  for (let n = 0; n < 5000; n += 1) refuse(n)
  assert.equal(lines.length, 100)
  for (let n = 0; n < 100; n += 1) refuse(n)
  security.flush()
  assert.equal(lines.length, 201)
  assert.equal(lines.at(-1), 'Turned away: 4,900 requests of other kinds.')
  assert.match(lines[0] ?? '', /\("evil\\u001b\[2Jx{56}"\) with 401/)
  security.flush()
  assert.equal(lines.length, 201)
  refuse(1)
  assert.equal(lines.length, 202)
  security.flush()
})
