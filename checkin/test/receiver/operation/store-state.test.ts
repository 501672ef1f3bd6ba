/** `/readyz` and `/health` while the store refuses check-ins: they say so, nothing is written for it, and they say when it is over. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { receiverStage, valid, type Stage } from '../../stage/receiver-stage.ts'

type Body = Readonly<Record<string, unknown>>

/** Status and what it says, of both. */
async function told({ get }: Stage) {
  const [ready, health] = [await get('/readyz'), await get('/health')]
  const { status, reason, redis } = health.json as Body
  return { ready: [ready.status, ready.json], health: [health.status, status, reason, redis] }
}

async function isRefusedInMetrics({ get }: Stage): Promise<boolean> {
  return /^millrace_writes_refused 1$/m.test((await get('/metrics')).text)
}

async function recovered(stage: Stage): Promise<void> {
  const since = performance.now()
  await waitFor(async () => (await stage.get('/readyz')).status === 200, { what: 'readiness' })
  const ms = performance.now() - since
  assert.ok(ms < 7000, `${ms} ms`)
  assert.deepEqual(await told(stage), {
    ready: [200, { status: 'ready' }],
    health: [200, 'ok', undefined, 'reachable'],
  })
  assert.equal(await isRefusedInMetrics(stage), false)
  assert.equal((await stage.post(valid)).status, 202)
}

async function stageOf(t: TestContext): Promise<Stage> {
  const stage = await receiverStage(t)
  assert.equal((await stage.post(valid)).status, 202)
  return stage
}

test('a full store is told without a check-in that was refused, by a question that writes nothing', async (t) => {
  const stage = await stageOf(t)
  const { redis } = stage
  await redis.send('CONFIG', 'SET', 'maxmemory', '1')
  const before = await redis.send('DBSIZE')
  assert.deepEqual(await told(stage), {
    ready: [503, { status: 'refusing', reason: 'memory' }],
    health: [503, 'refusing', 'memory', 'reachable'],
  })
  assert.equal(await isRefusedInMetrics(stage), true)
  assert.equal((await stage.post(valid)).status, 503)
  assert.equal(await redis.send('DBSIZE'), before)
  await redis.send('CONFIG', 'SET', 'maxmemory', '0')
  await recovered(stage)
})

test('a store without the replicas that it needs is told', async (t) => {
  const stage = await stageOf(t)
  await stage.redis.send('CONFIG', 'SET', 'min-replicas-to-write', '1')
  const expected = {
    ready: [503, { status: 'unavailable', reason: 'not-writable' }],
    health: [503, 'unavailable', undefined, 'not-writable'],
  }
  assert.deepEqual(await told(stage), expected)
  assert.equal(await isRefusedInMetrics(stage), true)
  await stage.redis.send('CONFIG', 'SET', 'min-replicas-to-write', '0')
  await recovered(stage)
})

test('a store that cannot save is told', async (t) => {
  const stage = await receiverStage(t, { redis: { args: ['--save', '3600 1'] } })
  assert.equal((await stage.post(valid)).status, 202)
  rmSync(stage.server.dir, { recursive: true })
  await stage.redis.send('BGSAVE')
  await waitFor(async () => (await stage.get('/readyz')).status === 503, { what: 'the refusal' })
  assert.deepEqual((await told(stage)).health, [503, 'unavailable', undefined, 'not-writable'])
  await stage.redis.send('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no')
  await recovered(stage)
})

test('what only appends are refused for is known from the last one, and forgotten', async (t) => {
  const stage = await stageOf(t)
  const { redis } = stage
  await redis.send('ACL', 'SETUSER', 'default', '-xadd')
  assert.equal((await stage.get('/readyz')).status, 200, 'nobody has met it')
  assert.equal((await stage.post(valid)).status, 503)
  assert.deepEqual(await told(stage), {
    ready: [503, { status: 'refusing', reason: 'rights' }],
    health: [503, 'refusing', 'rights', 'reachable'],
  })
  assert.equal(await isRefusedInMetrics(stage), true)
  await redis.send('ACL', 'SETUSER', 'default', '+xadd')
  // Nothing is sent to who is not ready, so no check-in can show that it is over.
  await recovered(stage)
})

test('a check-in that is taken ends what one before was refused for', async (t) => {
  const stage = await stageOf(t)
  const { redis } = stage
  await redis.send('RENAME', 'ncc:checkins', 'aside')
  await redis.send('SET', 'ncc:checkins', 'text')
  assert.equal((await stage.post(valid)).status, 500)
  assert.deepEqual((await told(stage)).ready, [503, { status: 'refusing', reason: 'wrong-type' }])
  await redis.send('RENAME', 'aside', 'ncc:checkins')
  assert.equal((await stage.post(valid)).status, 202)
  assert.deepEqual((await told(stage)).ready, [200, { status: 'ready' }])
})

test('a read that is refused says nothing of check-ins', async (t) => {
  const stage = await stageOf(t)
  await stage.redis.send('ACL', 'SETUSER', 'default', '-hgetall', '-hmget')
  assert.equal((await stage.get('/api/users/1')).status, 503)
  assert.deepEqual((await told(stage)).ready, [200, { status: 'ready' }])
})
