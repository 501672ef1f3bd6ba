import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { freePort, serverKinds, serverKindsWanted, startRedis, whyNotOn } from './redis-servers.ts'
import { waitFor, within } from './wait-for.ts'

for (const kind of serverKinds()) {
  test(`${kind} starts on a port of its own and answers`, async (t) => {
    const server = await startRedis({ kind })
    t.after(() => server.stop())
    const client = await server.client()
    assert.equal(await client.send('PING'), 'PONG')
    await client.send('HSET', 'key', 'field', 'value')
    assert.deepEqual(await client.hash('key'), { field: 'value' })
    assert.deepEqual(await client.send('HGETALL', 'key'), ['field', 'value'])
    assert.match(
      String(await client.send('INFO', 'server')),
      new RegExp(`process_id:${server.pid}`),
    )
  })

  test(`${kind} that was killed keeps its append-only file, port and folder`, async (t) => {
    const server = await startRedis({ kind, appendonly: 'always' })
    t.after(() => server.stop())
    await (await server.client()).send('SET', 'key', 'kept')
    const { pid } = server
    await server.kill9()
    await server.restart()
    assert.notEqual(server.pid, pid)
    assert.equal(await (await server.client()).send('GET', 'key'), 'kept')
  })

  test(`${kind} that is frozen answers after it goes on`, async (t) => {
    const server = await startRedis({ kind })
    t.after(() => server.stop())
    const client = await server.client()
    server.pause()
    let isAnswered = false
    const answer = client.send('PING').finally(() => (isAnswered = true))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(isAnswered, false)
    server.resume()
    assert.equal(await within(answer, { what: 'the answer' }), 'PONG')
  })
}

for (const kind of serverKindsWanted) {
  const skip = whyNotOn(kind)
  if (skip !== false) test(kind, { skip }, () => undefined)
}

test('stop ends the process and removes the temporary folder', async () => {
  const server = await startRedis()
  const { pid, dir } = server
  await server.stop()
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  assert.equal(existsSync(dir), false)
})

test('a port that is taken is refused with what the server said', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  await assert.rejects(startRedis({ port: server.port }), /Address already in use/)
})

test('a port that is asked for is used', async (t) => {
  const port = await freePort()
  const server = await startRedis({ port })
  t.after(() => server.stop())
  assert.equal(server.url, `redis://127.0.0.1:${port}`)
})

test('waitFor names what did not come', async () => {
  await assert.rejects(
    waitFor(() => 0, { what: 'the flood', timeoutMs: 20 }),
    /20 ms in vain for the flood; last seen: 0/,
  )
})
