/** A server that answers, but takes no work: it is told once, looked for elsewhere in bounded steps, and its end is told. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { MillraceError, type Millrace } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { startRedis, type StartOptions, type TestServer } from '../../../testing/redis-servers.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { connectFor, startConsumer, visit, visitModel } from '../stage/fixture.ts'

interface Stage {
  readonly server: TestServer
  readonly redis: TestClient
  readonly millrace: Millrace
  /** What it was told, in order. */
  readonly told: string[]
  /** Resolves to how an append ends. */
  readonly append: () => Promise<string>
}

const model = visitModel('refused')

async function stage(t: TestContext, options: StartOptions): Promise<Stage> {
  const server = await startRedis(options)
  t.after(() => server.stop())
  const told: string[] = []
  const millrace = await connectFor(t, {
    url: server.url,
    onRefused: ({ message }) => told.push(`refused: ${message.split(' ')[0] ?? ''}`),
    onAccepted: () => told.push('accepted'),
    onDisconnect: () => told.push('lost'),
    onReconnect: () => told.push('back'),
  })
  const append = (): Promise<string> =>
    millrace.append(model.visits, visit(1)).then(
      () => 'taken',
      (error: unknown) => (error instanceof MillraceError ? error.code : String(error)),
    )
  return { server, redis: await server.client(), millrace, told, append }
}

async function untilTold({ told }: Pick<Stage, 'told'>, what: string): Promise<void> {
  await waitFor(() => told.includes(what), { what: `"${what}" to be told`, timeoutMs: 30_000 })
}

async function connectionsOf(redis: TestClient): Promise<number> {
  const stats = String(await redis.send('INFO', 'stats'))
  return Number(/total_connections_received:(\d+)/.exec(stats)?.[1])
}

onEachServer('a server that refuses all work', (bench) => {
  test('is left by steps that grow, when its URL really leads to a replica', async (t) => {
    const at = await stage(t, { kind: bench().kind })
    const { redis, millrace, told } = at
    const group = millrace.group(model.visits, 'desk')
    await group.create()
    for (const mode of ['pull', 'push-down'] as const) {
      startConsumer(t, { ...model, group }, mode, { mode, claimAfterMs: 1000 })
    }
    const reader = millrace.reader(model.visits, {
      name: 'alone',
      positionKey: 'refused:position',
      projections: [model.guests],
    })
    void reader.run()
    t.after(() => reader.stop())
    const readers = async (): Promise<boolean> =>
      String(await redis.send('CLIENT', 'LIST')).split('name=millrace:').length === 4
    await waitFor(readers, { what: 'all to read' })

    const before = await connectionsOf(redis)
    await redis.send('REPLICAOF', '127.0.0.1', '1')
    const since = performance.now()
    await untilTold(at, 'refused: READONLY')
    // A replica serves reads: they prove nothing.
    for (let n = 0; n < 3; n += 1) await millrace.send('GET', 'x')
    assert.equal(millrace.refusal?.code, 'READ_ONLY')
    await assert.rejects(millrace.checkWritable(), { code: 'READ_ONLY' })
    await waitFor(() => performance.now() > since + 6000, { what: 'six seconds' })
    const made = (await connectionsOf(redis)) - before
    // One each step, of 0.25 s, 0.5 s, 1 s and so on, and not one more for each of those who work.
    assert.ok(made >= 2 && made <= 12, `${made} connections in six seconds`)
    await redis.send('REPLICAOF', 'NO', 'ONE')
    await untilTold(at, 'accepted')
    assert.equal(await at.append(), 'taken')
    assert.deepEqual(told, ['refused: READONLY', 'accepted'])
    assert.equal(millrace.refusal, undefined)
    await waitFor(readers, { what: 'all to read again' })
  })

  test('is told once while its primary is away, and when that is over', async (t) => {
    const at = await stage(t, { kind: bench().kind })
    const { redis } = at
    await redis.send('CONFIG', 'SET', 'replica-serve-stale-data', 'no')
    await redis.send('CONFIG', 'SET', 'replica-read-only', 'no')
    await redis.send('REPLICAOF', '127.0.0.1', '1')
    assert.equal(await at.append(), 'SERVER_BUSY')
    assert.equal(at.millrace.refusal, undefined)
    await untilTold(at, 'refused: MASTERDOWN')
    await redis.send('REPLICAOF', 'NO', 'ONE')
    await untilTold(at, 'accepted')
    assert.deepEqual(at.told, ['refused: MASTERDOWN', 'accepted'])
  })

  test('is told once while it cannot write to its disk, and when that is over', async (t) => {
    const at = await stage(t, { kind: bench().kind, args: ['--save', '3600 1'] })
    rmSync(at.server.dir, { recursive: true })
    await at.redis.send('BGSAVE')
    await waitFor(async () => (await at.append()) === 'SERVER_BUSY', { what: 'the refusal' })
    await untilTold(at, 'refused: MISCONF')
    await at.redis.send('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no')
    await untilTold(at, 'accepted')
    assert.deepEqual(at.told, ['refused: MISCONF', 'accepted'])
  })

  test('is told once while its slots are not served, and when that is over', async (t) => {
    const at = await stage(t, { kind: bench().kind, args: ['--cluster-enabled', 'yes'] })
    assert.equal(await at.append(), 'SERVER_BUSY')
    await untilTold(at, 'refused: CLUSTERDOWN')
    await at.redis.send('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
    await untilTold(at, 'accepted')
    assert.equal(await at.append(), 'taken')
    assert.deepEqual(at.told, ['refused: CLUSTERDOWN', 'accepted'])
  })

  test('is told once while it loads its data, and when that is over', async (t) => {
    // Each key takes 10 ms to load, and clients are answered every 1 kB.
    const args = ['--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024']
    const at = await stage(t, { kind: bench().kind, args })
    const keys = Array.from({ length: 600 }, (_, n) => ['SET', `key:${n}`, 'x'.repeat(100)])
    await Promise.all(keys.map((key) => at.redis.send(...key)))
    await at.redis.send('SAVE')
    const restarted = at.server.restart()
    await waitFor(async () => (await at.append()) === 'SERVER_BUSY', { what: 'the loading' })
    await untilTold(at, 'refused: LOADING')
    await restarted
    await untilTold(at, 'accepted')
    assert.deepEqual(at.told, ['lost', 'back', 'refused: LOADING', 'accepted'])
  })

  test('is not told when it refuses for a moment only', async (t) => {
    const at = await stage(t, { kind: bench().kind })
    await at.redis.send('CONFIG', 'SET', 'min-replicas-to-write', '1')
    assert.equal(await at.append(), 'SERVER_BUSY')
    await at.redis.send('CONFIG', 'SET', 'min-replicas-to-write', '0')
    await at.millrace.checkWritable()
    assert.equal(await at.append(), 'taken')
    assert.deepEqual(at.told, [])
  })

  test('takes what drains it while it is full, and says so of what fills it', async (t) => {
    const at = await stage(t, { kind: bench().kind })
    const { millrace, redis } = at
    await redis.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await redis.send('CONFIG', 'SET', 'maxmemory', '1')
    assert.equal(await at.append(), 'SERVER_FULL')
    await millrace.checkWritable()
    await assert.rejects(millrace.checkWritable({ fills: true }), { code: 'SERVER_FULL' })
    await redis.send('CONFIG', 'SET', 'maxmemory', '0')
    await millrace.checkWritable({ fills: true })
    await redis.send('REPLICAOF', '127.0.0.1', '1')
    await assert.rejects(millrace.checkWritable({ fills: true }), { code: 'READ_ONLY' })
    assert.equal(await redis.send('DBSIZE'), 0, 'nobody wrote anything')
  })
})
