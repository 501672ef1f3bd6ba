/** The access log: who called what, and with which answer. It does not depend on the kind of server. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { readConfig } from '../../../src/config.ts'
import { Tokens } from '../../../src/receiver/access/tokens.ts'
import { bearer, issuer, json, keysOf } from '../../stage/access-stage.ts'
import { exchange, openSocket } from '../../stage/raw-http.ts'
import { receiverStage, valid } from '../../stage/receiver-stage.ts'

test('the access log has one line for each request, at any level of the log', async (t) => {
  const ours = await issuer()
  const tokens = new Tokens({ keys: { text: ours.pem } })
  const access = { tokens, apiKeys: true, trustProxy: 'loopback' }
  const stage = await receiverStage(t, { access, accessLog: true, logLevel: 'error' })
  const { post, get, url, logged } = stage
  const key = await (await keysOf(t, stage)).create({ name: 'app', scopes: ['ingest'] })
  const token = await ours.token({ sub: '7', scope: 'read' })
  const from = { 'x-forwarded-for': '2001:db8::7' }
  // The document that every answer is held against.
  await waitFor(() => logged.length === 1, { what: 'its line' })

  await post(valid, { ...bearer(key.text), ...from, 'x-request-id': 'mine' })
  await get('/api/users/7?hush=1', { headers: bearer(token) })
  await post(valid, bearer('x.y.z'))
  await get('/nowhere/hush')
  await (await fetch(`${url}/api/%zz`)).arrayBuffer()
  await (await fetch(`${url}/livez`, { method: 'DELETE' })).arrayBuffer()
  await exchange(stage, 'GET /livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n')
  // Who leaves before the answer.
  stage.server.pause()
  const socket = await openSocket(stage)
  socket.write(
    `POST /api/checkin HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key.text}\r\n`,
  )
  const body = JSON.stringify(valid)
  socket.write(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await waitFor(() => stage.appendsBegun() === 2, { what: 'it to be in flight' })
  socket.resetAndDestroy()
  await waitFor(() => logged.length === 9, { what: 'the last line' })

  const lines = logged.slice(1)
  const told = lines.map(({ level, method, route, status, client, apiKey, subject, isCut }) =>
    [level, method, route, status, client, apiKey ?? subject, isCut].filter(
      (one) => one !== undefined,
    ),
  )
  const at = '127.0.0.1'
  assert.deepEqual(told, [
    [30, 'POST', '/api/checkin', 202, '2001:db8::7', key.apiKey.id],
    [30, 'GET', '/api/users/:id', 404, at, '7'],
    [30, 'POST', '/api/checkin', 401, at],
    [30, 'GET', '*', 404, at],
    [30, 'GET', 400, at],
    [30, 'DELETE', '/livez', 405, at],
    [30, 'GET', '/livez', 421, at],
    [30, 'POST', '/api/checkin', at, key.apiKey.id, true],
  ])
  const [first, , , , , , , last] = lines
  assert.equal(first?.requestId, 'mine')
  assert.match(
    first.msg,
    /^POST \/api\/checkin: 202 for 2001:db8::7 \([0-9a-f]{12}\) after [\d.]+ ms\.$/,
  )
  assert.match(last?.msg ?? '', /: no answer for 127\.0\.0\.1 /)
  assert.doesNotMatch(JSON.stringify(logged), /hush|mr_/)
})

test('without it, requests leave no line, and plain check-ins have one with it', async (t) => {
  const silent = await receiverStage(t)
  await silent.post(valid)
  await silent.get('/api/users/1')
  assert.deepEqual(silent.lines, [])
  const { post, logged } = await receiverStage(t, { accessLog: true })
  await post(valid, json)
  await waitFor(() => logged.length === 2, { what: 'its line' })
  assert.deepEqual([logged[1]?.route, logged[1]?.status], ['/api/checkin', 202])
})

test('the environment turns the access log on or off, and nothing else', () => {
  const isOn = (value?: string): boolean =>
    readConfig({ CHECKIN_RECEIVER_ACCESS_LOG: value }, false).receiverAccessLog
  assert.deepEqual([isOn(), isOn(''), isOn('off'), isOn('on')], [false, false, false, true])
  assert.throws(
    () => isOn('yes'),
    /Cannot use "yes" as CHECKIN_RECEIVER_ACCESS_LOG: allowed is on, off/,
  )
})
