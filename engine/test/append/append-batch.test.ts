import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, MillraceError, type AppendOutcome, type Millrace } from 'millrace'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { connectFor, visit, visitModel } from '../stage/fixture.ts'

const idOf = (outcome: AppendOutcome | undefined): string =>
  outcome !== undefined && 'id' in outcome ? outcome.id : ''

async function entries(redis: TestClient, key: string): Promise<[string, string[]][]> {
  return (await redis.send('XRANGE', key, '-', '+')) as never
}

const keyed = (n: number, idempotencyKey: string) => ({ values: visit(n), idempotencyKey })

onEachServer('appendBatch', (bench) => {
  test('appends all entries in their order and returns their ids', async () => {
    const { millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    const items = Array.from({ length: 1000 }, (_, n) => ({ values: visit(n) }))
    const outcomes = await millrace.appendBatch(visits, items)
    const expected = items.map(({ values }, at) => [
      idOf(outcomes[at]),
      ['guest', `${values.guest}`, 'room', `${values.room}`, 'stars', `${values.stars}`],
    ])
    assert.deepEqual(await entries(redis, visits.key), expected)
    assert.ok(outcomes.every(({ kind }) => kind === 'appended'))
    assert.deepEqual(await millrace.appendBatch(visits, []), [])
  })

  test('a key is good for one entry: the same values replay it, other values are refused', async () => {
    const { millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    const [first] = await millrace.appendBatch(visits, [keyed(1, 'a')])
    const later = await millrace.appendBatch(visits, [
      keyed(1, 'a'),
      keyed(2, 'a'),
      keyed(2, 'b'),
      keyed(2, 'b'),
      keyed(3, 'b'),
      { values: visit(1) },
    ])
    const [, , b, , , free] = later
    const id = idOf(first)
    assert.deepEqual(later, [
      { kind: 'replayed', id },
      { kind: 'mismatch' },
      { kind: 'appended', id: idOf(b) },
      { kind: 'replayed', id: idOf(b) },
      { kind: 'mismatch' },
      { kind: 'appended', id: idOf(free) },
    ])
    const ids = (await entries(redis, visits.key)).map(([each]) => each)
    assert.deepEqual(ids, [id, idOf(b), idOf(free)])
  })

  test('all or nothing appends nothing when one key is refused', async () => {
    const { millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    await millrace.appendBatch(visits, [keyed(1, 'a')])
    const batch = [keyed(5, 'new'), keyed(1, 'a'), keyed(2, 'a'), { values: visit(3) }]
    const kinds = async (isAtomic: boolean): Promise<string[]> =>
      (await millrace.appendBatch(visits, batch, { isAtomic })).map(({ kind }) => kind)
    assert.deepEqual(await kinds(true), ['held-back', 'replayed', 'mismatch', 'held-back'])
    assert.equal((await entries(redis, visits.key)).length, 1)
    // Nothing of it is remembered either.
    assert.deepEqual(await kinds(false), ['appended', 'replayed', 'mismatch', 'appended'])
    const fine = batch.filter((_, at) => at !== 2)
    const replay = await millrace.appendBatch(visits, fine, { isAtomic: true })
    assert.deepEqual(
      replay.map(({ kind }) => kind),
      ['replayed', 'replayed', 'appended'],
    )
  })

  test('no more keys are remembered than allowed, and each is forgotten in its time', async () => {
    const { millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    const append = async (rememberMs: number, ...keys: string[]): Promise<string> => {
      const items = keys.map((key) => keyed(1, key))
      const outcomes = await millrace.appendBatch(visits, items, { rememberMs, keysMax: 2 })
      return outcomes.map(({ kind }) => kind).join()
    }
    const long = 60_000
    assert.equal(await append(long, 'a', 'b', 'c', 'a'), 'appended,appended,keys-full,replayed')
    assert.equal(await append(long, 'c', 'a'), 'keys-full,replayed')
    const free = await millrace.appendBatch(visits, [{ values: visit(1) }], { keysMax: 2 })
    assert.equal(free[0]?.kind, 'appended')

    const keysOf = async (): Promise<string[]> =>
      (await redis.send('KEYS', `${visits.key}:once*`)) as string[]
    await redis.send('DEL', ...(await keysOf()))
    assert.equal(await append(400, 'a', 'b'), 'appended,appended')
    await waitFor(async () => (await append(400, 'c')) === 'appended', { what: 'room for a key' })
    await waitFor(async () => (await keysOf()).length === 0, { what: 'the keys to be forgotten' })
  })

  test('counts keys by when they are forgotten: after their time, and an eighth of it at most', async () => {
    const { millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    const rememberMs = 8_000_000
    const [seconds] = (await redis.send('TIME')) as [string, string]
    await millrace.appendBatch(visits, [keyed(1, 'a')], { rememberMs })
    const counts = (await redis.send('HGETALL', `${visits.key}:once`)) as string[]
    const [forgetAt, count] = counts
    assert.deepEqual([counts.length, count], [2, '1'])
    const inMs = Number(forgetAt) - Number(seconds) * 1000
    assert.ok(inMs > rememberMs && inMs < 1.126 * rememberMs, `forgotten in ${inMs} ms`)
  })

  test('checks everything before anything is written', async () => {
    const { millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    const fails = async (code: string): Promise<void> => {
      const items = [{ values: visit(1) }, keyed(2, 'a')]
      await assert.rejects(
        millrace.appendBatch(visits, items),
        (error) => error instanceof MillraceError && error.code === code,
      )
    }
    await redis.send('SET', visits.key, 'x')
    await fails('WRONG_TYPE')
    await redis.send('DEL', visits.key)
    await redis.send('SET', `${visits.key}:once`, 'x')
    await fails('WRONG_TYPE')
    await redis.send('DEL', `${visits.key}:once`)
    const wrong = { ...visit(1), stars: 6 }
    await assert.rejects(
      millrace.appendBatch(visits, [{ values: visit(1) }, { values: wrong }]),
      RangeError,
    )
    await assert.rejects(millrace.appendBatch(visits, [], { rememberMs: 0 }), RangeError)
    assert.equal(await redis.send('EXISTS', visits.key), 0)
  })

  test('a user without a right gets an error, and nothing is written', async (t) => {
    const { server, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    await redis.send('ACL', 'SETUSER', 'timid', 'reset', 'on', '>x', '~*', '+@all', '-set')
    const url = server.url.replace('//', '//timid:x@')
    const millrace = await connectFor(t, { url })
    await assert.rejects(
      millrace.appendBatch(visits, [{ values: visit(1) }, keyed(2, 'a')]),
      (error) => error instanceof MillraceError && error.code === 'AUTHENTICATION',
    )
    assert.equal(await redis.send('EXISTS', visits.key), 0)
    const [plain] = await millrace.appendBatch(visits, [{ values: visit(1) }])
    assert.equal(plain?.kind, 'appended')
  })

  test('two clients race for each key, and one entry is appended', async (t) => {
    const { millrace, redis, server } = bench()
    const { visits } = visitModel(freshPrefix())
    const other = await connectFor(t, { url: server.url })
    const race = async (client: Millrace, n: number): Promise<AppendOutcome | undefined> =>
      (await client.appendBatch(visits, [keyed(n, `key ${n}`)]))[0]
    const seen = { appended: 0, replayed: 0 }
    for (let n = 0; n < 1000; n += 1) {
      const outcomes = await Promise.all([race(millrace, n), race(other, n)])
      assert.equal(idOf(outcomes[0]), idOf(outcomes[1]))
      for (const outcome of outcomes) seen[outcome?.kind as keyof typeof seen] += 1
    }
    assert.deepEqual(seen, { appended: 1000, replayed: 1000 })
    assert.equal((await entries(redis, visits.key)).length, 1000)
  })

  test('a reply that is lost is asked for again without a duplicate', async (t) => {
    const { redis, server } = bench()
    const { visits } = visitModel(freshPrefix())
    const proxy = await startProxy(server.port)
    t.after(() => proxy.close())
    const millrace = await connect({ url: proxy.url })
    t.after(() => millrace.close())
    const items = [keyed(1, 'a'), keyed(2, 'b')]
    proxy.cutBeforeReply('once')
    await assert.rejects(
      millrace.appendBatch(visits, items),
      (error) => error instanceof MillraceError && error.code === 'DISCONNECTED',
    )
    await waitFor(() => millrace.isConnected, { what: 'the connection' })
    const again = await millrace.appendBatch(visits, items)
    assert.equal(proxy.cuts, 1)
    assert.deepEqual(
      again.map(({ kind }) => kind),
      ['replayed', 'replayed'],
    )
    assert.equal((await entries(redis, visits.key)).length, 2)
  })
})

onEachServer(
  'appendBatch on a full server',
  (bench) => {
    test('is refused whole', async () => {
      const { millrace, redis } = bench()
      const { visits } = visitModel(freshPrefix())
      await redis.send('CONFIG', 'SET', 'maxmemory', '1')
      await assert.rejects(
        millrace.appendBatch(visits, [{ values: visit(1) }, keyed(2, 'a')]),
        (error) => error instanceof MillraceError && error.code === 'SERVER_FULL',
      )
      assert.equal(await redis.send('EXISTS', visits.key), 0)
      await redis.send('CONFIG', 'SET', 'maxmemory', '0')
      assert.equal((await millrace.appendBatch(visits, [keyed(2, 'a')]))[0]?.kind, 'appended')
    })
  },
  { concurrency: false },
)
