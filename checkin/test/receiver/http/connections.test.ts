/** What connections may take, and how they end. */
import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { within } from '../../../../testing/wait-for.ts'
import { jsonLine, NdjsonClient } from '../../stage/ndjson-client.ts'
import { openSocket, untilClosed } from '../../stage/raw-http.ts'
import { receiverStage, request, valid } from '../../stage/receiver-stage.ts'

const get = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n'

test('who does not read its answer is cut off, and holds no stream any more', async (t) => {
  // Longer than it takes to read slowly what is there; Node's own limit is 20 s, and 40 s as it counts.
  const stage = await receiverStage(t, { timeouts: { unreadMs: 2000, streamIdleMs: 60_000 } })
  const socket = await openSocket(stage)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.pause()
  const type = 'Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked'
  socket.write(`POST /api/checkins HTTP/1.1\r\nHost: localhost\r\n${type}\r\n\r\n`)
  const lines = jsonLine(valid).repeat(1000)
  const chunk = `${lines.length.toString(16)}\r\n${lines}\r\n`
  const pour = (): void => {
    while (!socket.destroyed && socket.writable && socket.write(chunk));
  }
  socket.on('drain', pour)
  pour()
  await within(closed, { what: 'the receiver to give the connection up', timeoutMs: 15_000 })
})

test('an idle connection is kept for as long as was said, and clients are told', async (t) => {
  const longer = await receiverStage(t)
  assert.equal((await longer.get('/livez')).headers.get('keep-alive'), 'timeout=75')
  const stage = await receiverStage(t, { timeouts: { keepAliveMs: 1000 } })
  const socket = await openSocket(stage)
  socket.write(get)
  const answer = await untilClosed(socket)
  assert.match(answer, /^HTTP\/1\.1 200 [^]+Keep-Alive: timeout=1\r\n/)
})

test('connections that are only kept open keep nobody out', async (t) => {
  const stage = await receiverStage(t, { connectionsMax: 20 })
  for (let n = 1; n <= 60; n += 1) {
    const socket = await openSocket(stage)
    socket.write(get)
    const [first] = (await within(once(socket, 'data'), { what: `answer ${n}` })) as [Buffer]
    assert.match(first.toString(), /^HTTP\/1\.1 200 /)
  }
  assert.equal((await stage.post(valid)).status, 202)
})

test('many streams at once warn of nothing', async (t) => {
  const stage = await receiverStage(t, { streams: { each: 32 } })
  const warnings: Error[] = []
  const take = (warning: Error): void => void warnings.push(warning)
  process.on('warning', take)
  t.after(() => process.off('warning', take))
  const clients = Array.from({ length: 32 }, () => new NdjsonClient(stage.url))
  for (const client of clients) {
    await client.write(valid)
    await client.untilResults(1)
  }
  for (const client of clients) assert.equal((await client.end()).length, 1)
  assert.deepEqual(warnings, [])
})

test('a receiver that is closed while it begins to listen is closed', async (t) => {
  const stage = await receiverStage(t)
  const port = Number(new URL(stage.url).port)
  await stage.receiver.close()
  const again = stage.another()
  const listening = again.listen({ host: '127.0.0.1', port })
  await again.close()
  await listening.catch(() => undefined)
  await assert.rejects(request(`${stage.url}/livez`))
})

type Done = (error: null, addresses: dns.LookupAddress[]) => void

test('at localhost there is one address, also where the name leads to two', async (t) => {
  const stage = await receiverStage(t)
  const real = dns.lookup as (host: string, options: dns.LookupOptions, done: Done) => void
  const both = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]
  // Most machines answer so; this one may not.
  t.mock.method(dns, 'lookup', (host: string, options: dns.LookupOptions, done: Done): void => {
    if (options.all === true) done(null, both)
    else real(host, options, done)
  })
  const url = await stage.another().listen({ host: 'localhost', port: 0 })
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  const port = Number(new URL(url).port)
  const elsewhere = connect({ host: '::1', port })
  const [error] = (await once(elsewhere, 'connect').then(
    () => [undefined],
    (reason: unknown) => [reason],
  )) as [{ code?: string } | undefined]
  elsewhere.destroy()
  assert.match(error?.code ?? 'connected', /^(?:ECONNREFUSED|EADDRNOTAVAIL|EAFNOSUPPORT)$/)
})
