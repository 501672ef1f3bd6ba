/** A replay with replicas: it is a write, so that the WAIT behind it covers the entry, and the key is forgotten all the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshPrefix, onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { connectFor, visit, visitModel } from '../stage/fixture.ts'

onOldestAndNewest('a replay with replicas', (bench) => {
  test('waits for them on whatever connection it comes, and the key expires in its time', async (t) => {
    const { kind, server, millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    const replica = await startRedis({
      kind,
      args: ['--replicaof', '127.0.0.1', String(server.port)],
    })
    t.after(() => replica.stop())
    const told = async () => String(await redis.send('INFO', 'replication'))
    await waitFor(async () => (await told()).includes('state=online'), { what: 'the replica' })
    const options = { replicas: 1, rememberMs: 3_600_000 }
    const items = [{ values: visit(1), idempotencyKey: 'a' }]

    // A replica that has just come may confirm late.
    const confirmed = async (): Promise<boolean> => {
      const key = { values: visit(2), idempotencyKey: 'b' }
      return millrace.appendBatch(visits, [key], options).then(
        () => true,
        () => false,
      )
    }
    await waitFor(confirmed, { what: 'the replica to confirm' })
    const [first] = await millrace.appendBatch(visits, items, options)
    const [again] = await millrace.appendBatch(visits, items, options)
    assert.deepEqual([first?.kind, again?.kind], ['appended', 'replayed'])
    const keys = (await redis.send('KEYS', `${visits.key}:once:*`)) as string[]
    assert.equal(keys.length, 2)
    const left = Number(await redis.send('PTTL', keys[0] ?? ''))
    assert.ok(left > 0 && left <= options.rememberMs, `forgotten in ${left} ms`)

    replica.pause()
    // It has written nothing itself: without a write the WAIT would wait for nothing.
    const other = await connectFor(t, { url: server.url })
    await assert.rejects(other.appendBatch(visits, items, options), { code: 'NOT_REPLICATED' })
  })
})
