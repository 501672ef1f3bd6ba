import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startRedis, type TestServer } from './redis-servers.ts'
import { RespFrames } from './resp-frames.ts'
import { startProxy, type Proxy } from './tcp-proxy.ts'
import { connectClient, type TestClient } from './test-client.ts'
import { within } from './wait-for.ts'

interface Stage {
  readonly server: TestServer
  readonly proxy: Proxy
  /** Talks through the proxy. */
  readonly client: TestClient
  /** Talks to the server. */
  readonly direct: TestClient
}

async function setTheStage(t: TestContext): Promise<Stage> {
  const server = await startRedis()
  const proxy = await startProxy(server.port)
  const client = await connectClient(proxy.port)
  t.after(async () => {
    client.close()
    await proxy.close()
    await server.stop()
  })
  return { server, proxy, client, direct: await server.client() }
}

test('proxy loses the reply of a request that was executed', async (t) => {
  const { proxy, client, direct } = await setTheStage(t)
  proxy.cutBeforeReply('INCR')
  await assert.rejects(client.send('INCR', 'counter'))
  assert.equal(proxy.cuts, 1)
  assert.equal(await direct.send('GET', 'counter'), '1')
})

test('proxy passes on the replies before the one it loses, in a pipeline', async (t) => {
  const { proxy, client, direct } = await setTheStage(t)
  proxy.cutBeforeReply(/\$6\r\nsecond/)
  const replies = await Promise.allSettled([
    client.send('SET', 'first', '1'),
    client.send('SET', 'second', '2'),
    client.send('SET', 'third', '3'),
  ])
  assert.deepEqual(
    replies.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  )
  assert.equal(await direct.send('GET', 'second'), '2')
})

test('proxy cuts as often as it was told and no more', async (t) => {
  const { proxy, direct } = await setTheStage(t)
  proxy.cutBeforeReply('INCR', 2)
  for (const isCut of [true, true, false]) {
    const client = await connectClient(proxy.port)
    t.after(() => client.close())
    const answer = client.send('INCR', 'counter')
    if (isCut) await assert.rejects(answer)
    else assert.equal(await answer, 3)
  }
  assert.equal(proxy.cuts, 2)
  assert.equal(await direct.send('GET', 'counter'), '3')
})

test('proxy as a black hole passes nothing on until it ends', async (t) => {
  const { proxy, client, direct } = await setTheStage(t)
  proxy.blackHole(true)
  const answer = client.send('SET', 'key', 'value')
  assert.equal(await direct.send('GET', 'key'), null)
  assert.equal(proxy.connections, 1)
  proxy.blackHole(false)
  assert.equal(await within(answer, { what: 'the answer' }), 'OK')
})

test('proxy cuts all connections and takes new ones', async (t) => {
  const { proxy, client } = await setTheStage(t)
  assert.equal(await client.send('PING'), 'PONG')
  proxy.cutAll()
  await assert.rejects(client.send('PING'))
  const next = await connectClient(proxy.port)
  t.after(() => next.close())
  assert.equal(await next.send('PING'), 'PONG')
})

test('frames are the same for every place where the bytes are cut', () => {
  const values = [
    '+OK\r\n',
    '-ERR no\r\n',
    ':12\r\n',
    '$5\r\na\r\nbc\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*2\r\n*1\r\n$0\r\n\r\n:1\r\n',
    '%1\r\n+key\r\n*0\r\n',
    '>2\r\n+message\r\n_\r\n',
    '|1\r\n+ttl\r\n:3\r\n+value\r\n',
    'PING\r\n',
  ]
  const bytes = Buffer.from(values.join(''), 'latin1')
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const frames = new RespFrames()
    const seen = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((part) => frames.push(part))
    assert.deepEqual(
      seen.map((frame) => frame.toString('latin1')),
      values,
    )
  }
})

test('proxy leads to another server when it is told', async (t) => {
  const { proxy, client } = await setTheStage(t)
  const other = await startRedis()
  t.after(() => other.stop())
  const direct = await other.client()
  await direct.send('SET', 'name', 'other')
  proxy.pointTo(other.port)
  await assert.rejects(client.send('GET', 'name'), 'what was open leads nowhere')
  const next = await connectClient(proxy.port)
  t.after(() => next.close())
  assert.equal(await next.send('GET', 'name'), 'other')
})
