import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRedis } from '../../../../testing/redis-servers.ts'
import { waitFor } from '../../../../testing/wait-for.ts'
import { NdjsonClient } from '../../stage/ndjson-client.ts'
import { receiverStage, valid } from '../../stage/receiver-stage.ts'

test('with --wait-replicas a 202 means that the replicas have it', async (t) => {
  const { server, redis, post, get, url, entries } = await receiverStage(t, { replicas: 1 })
  const key = { 'content-type': 'application/json', 'idempotency-key': 'a' }
  const health = { status: 'ok', redis: 'reachable', durability: 'none', waitReplicas: 1 }
  assert.deepEqual((await get('/health')).json, health)
  // Without a replica it is recorded, and the answer says so.
  const alone = await post(valid)
  assert.equal(alone.status, 503)
  assert.equal(alone.json?.type, '/problems/not-replicated')
  assert.equal((await entries()).length, 1)

  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(server.port)] })
  t.after(() => replica.stop())
  await waitFor(
    async () => String(await redis.send('INFO', 'replication')).includes('state=online'),
    {
      what: 'the replica',
      timeoutMs: 20_000,
    },
  )
  const copy = await replica.client()
  const id = (await post(valid)).json?.id ?? ''
  assert.equal(((await copy.send('XRANGE', 'ncc:checkins', id, id)) as unknown[]).length, 1)
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(valid)))
  assert.ok(answers.every(({ status }) => status === 202))

  replica.pause()
  const held = await post(valid, key)
  assert.equal(held.json?.type, '/problems/not-replicated')
  // Told again by the same key, it is as unsafe as before.
  assert.equal((await post(valid, key)).json?.type, '/problems/not-replicated')
  const client = new NdjsonClient(url)
  await client.write(valid)
  await client.over()
  assert.equal(client.results[0]?.problem?.type, '/problems/not-replicated')

  replica.resume()
  const safe = await waitFor(
    async () => {
      const answer = await post(valid, key)
      return answer.status === 202 && answer
    },
    { what: 'the replica to confirm' },
  )
  assert.equal(safe.headers.get('idempotent-replayed'), 'true')
  const safeId = safe.json?.id ?? ''
  assert.equal(((await copy.send('XRANGE', 'ncc:checkins', safeId, safeId)) as unknown[]).length, 1)
  assert.equal((await entries()).length, 1 + 1 + 50 + 1 + 1)
})
