/** Keys of tokens that come from an address: outages of the issuer, and new keys. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { Tokens } from '../../../src/receiver/access/tokens.ts'
import { bearer, issuer, type Issuer } from '../../stage/access-stage.ts'
import { receiverStage, valid, type Answer, type Stage } from '../../stage/receiver-stage.ts'

const good = { sub: '7', scope: 'ingest' }
const hourMs = 3_600_000

interface JwksStage extends Stage {
  /** The server of the keys; it answers with 500 while it is away, and not at all while it is silent. */
  readonly keys: { isAway: boolean; isSilent: boolean; set: object; asked: number }
  readonly turnClock: (ms: number) => void
  /** Posts a check-in with a token that was never seen before. */
  readonly send: (from: Issuer) => Promise<Answer>
}

async function jwksStage(t: TestContext, first: Issuer): Promise<JwksStage> {
  const keys = { isAway: false, isSilent: false, set: first.jwks, asked: 0 }
  const server = createServer((_request, response) => {
    keys.asked += 1
    if (keys.isSilent) return
    response.statusCode = keys.isAway ? 500 : 200
    response.end(JSON.stringify(keys.set))
  }).listen(0, '127.0.0.1')
  t.after(() => server.close().closeAllConnections())
  await waitFor(() => server.listening, { what: 'the server of the keys' })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?secret`)
  let nowMs = 0
  const tokens = new Tokens({ keys: { url }, now: () => nowMs })
  const access = { tokens, apiKeys: true }
  const stage = await receiverStage(t, { access })
  let jti = 0
  return {
    ...stage,
    keys,
    turnClock: (ms) => (nowMs += ms),
    send: async (from) => {
      jti += 1
      return await stage.post(valid, bearer(await from.token({ ...good, jti: String(jti) })))
    },
  }
}

test('keys of tokens: an outage of the issuer stops nobody for a day, and is told', async (t) => {
  const ours = await issuer()
  const { keys, turnClock, send, lines } = await jwksStage(t, ours)
  keys.isAway = true
  assert.equal((await send(ours)).status, 503)
  keys.isAway = false
  turnClock(1000)
  assert.equal((await send(ours)).status, 202)
  keys.isAway = true
  for (let hour = 1; hour <= 23; hour += 1) {
    turnClock(hourMs)
    assert.equal((await send(ours)).status, 202, `after ${hour} h`)
  }
  assert.match(
    lines.join('\n'),
    /cannot be read from http:\/\/127\.0\.0\.1:\d+\/keys: Expected 200 OK .+\. Tokens are answered with 503\./,
  )
  turnClock(2 * hourMs)
  const refused = await send(ours)
  assert.equal(refused.status, 503)
  assert.match(refused.json?.detail ?? '', /cannot be checked now\. The check-in was not recorded/)
  keys.isAway = false
  turnClock(1000)
  assert.equal((await send(ours)).status, 202)
  assert.ok(lines.includes('The keys of the tokens can be read again.'))
  assert.doesNotMatch(lines.join('\n'), /secret/)
})

test('keys of tokens: one that may be new is refused for now, never for good', async (t) => {
  const [ours, next, other] = await Promise.all([issuer('one'), issuer('two'), issuer('three')])
  const { keys, turnClock, send, url } = await jwksStage(t, ours)
  assert.equal((await send(ours)).status, 202)
  keys.set = next.jwks
  const soon = await send(next)
  assert.equal(soon.status, 503)
  const after = Number(soon.headers.get('retry-after'))
  assert.ok(after >= 1 && after <= 10, `${after} s`)
  turnClock(after * 1000)
  assert.equal((await send(next)).status, 202)
  // What was looked for and is not there is refused, without another look.
  turnClock(10_000)
  assert.equal((await send(other)).status, 401)
  const { asked } = keys
  for (let n = 0; n < 5; n += 1) assert.equal((await send(other)).status, 401)
  assert.equal(keys.asked, asked)
  keys.isAway = true
  turnClock(10_000)
  assert.equal((await send(other)).status, 503)
  assert.equal((await send(next)).status, 202)
  // A key of ours and a token of theirs: both may be in use.
  const key = await fetch(`${url}/api/checkin`, {
    method: 'POST',
    headers: bearer(`mr_000000000000_${'x'.repeat(43)}`),
    body: JSON.stringify(valid),
  })
  assert.equal(key.status, 401)
  await key.arrayBuffer()
})

test('keys of tokens: an issuer that does not answer is given up, and told', async (t) => {
  const ours = await issuer()
  const { keys, turnClock, send, lines } = await jwksStage(t, ours)
  keys.isSilent = true
  const answers = await Promise.all([send(ours), send(ours)])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [503, 503],
  )
  assert.equal(keys.asked, 1)
  assert.match(lines.join('\n'), /cannot be read from .+timeout/)
  // Right after that, nobody waits.
  assert.equal((await send(ours)).status, 503)
  assert.equal(keys.asked, 1)
  keys.isSilent = false
  turnClock(1000)
  assert.equal((await send(ours)).status, 202)
})

test('keys of tokens: once one is withdrawn, a token is believed for a minute at most', async (t) => {
  const [ours, next] = await Promise.all([issuer('one'), issuer('two')])
  const { keys, turnClock, send, post } = await jwksStage(t, ours)
  const token = bearer(await ours.token(good))
  const status = async (): Promise<number> => (await post(valid, token)).status
  const startMs = Date.now()
  t.mock.timers.enable({ apis: ['Date'], now: startMs })
  assert.equal(await status(), 202)
  keys.set = next.jwks
  turnClock(6 * 60_000)
  // Another one's token has the keys read anew.
  await send(ours)
  await waitFor(() => keys.asked === 2, { what: 'the keys to be read' })
  t.mock.timers.setTime(startMs + 59_000)
  assert.equal(await status(), 202)
  t.mock.timers.setTime(startMs + 61_000)
  // It may be a new one, until it was looked for.
  assert.equal(await status(), 503)
  turnClock(10_000)
  assert.equal(await status(), 401)
})

test('keys of tokens: the metrics tell their age and the looks that failed', async (t) => {
  const ours = await issuer()
  const { keys, turnClock, send, get } = await jwksStage(t, ours)
  await send(ours)
  keys.isAway = true
  turnClock(hourMs)
  await send(ours)
  await waitFor(() => keys.asked === 2, { what: 'the look that fails' })
  const watcher = bearer(await ours.token({ sub: 'watcher', scope: 'metrics' }))
  await waitFor(
    async () => {
      const { text } = await get('/metrics', { headers: watcher })
      assert.match(text, /^checkin_jwks_age_seconds 3600$/m)
      return /^checkin_jwks_looks_total\{outcome="failed"\} [1-9]/m.test(text)
    },
    { what: 'the failure to be counted' },
  )
})
