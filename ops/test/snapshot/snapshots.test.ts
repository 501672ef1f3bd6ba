/** How snapshots are had: with few rights, again and again, and in small portions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'millrace'
import { freshPrefix, onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { Snapshots } from '../../src/snapshot/snapshots.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { ago, append, create, read } from './acts.ts'

onOldestAndNewest('a snapshot', (bench) => {
  test('is had without the right to INFO, TIME, scripts and the keys of the engine', async () => {
    const { redis, server } = bench()
    const key = `p:${freshPrefix()}`
    await create(redis, key)
    for (let n = 1; n <= 5; n += 1) await append(redis, key, `${n}-0`)
    await read(redis, key, 2)
    await redis.send('XDEL', key, '4-0')
    const rights = ['+ping', '+hello', '+client', '+xinfo', '+xpending', '+xrange', `%R~${key}`]
    await redis.send('ACL', 'SETUSER', 'watcher', 'reset', 'on', '>pw', ...rights)
    const url = server.url.replace('redis://', 'redis://watcher:pw@')
    const millrace = await connect({ url })
    const { server: told, streams } = await takeSnapshot(millrace, { streams: [key] })
    await millrace.close()
    assert.equal(told, null)
    const [group] = streams[0]!.groups
    assert.equal(group?.pending, 2)
    assert.equal(group.oldestUndeliveredId, '3-0')
    // Never a zero.
    assert.equal(group.lag === null || group.lag >= 1, true)
    assert.deepEqual(group.lagDoubt, { why: 'forbidden', atLeast: 1 })
    assert.equal(group.unreadKeys.length, 4)
  })
})

test('snapshots: one look for all who ask, and the last one while the server is away', async (t) => {
  const server = await startRedis()
  const millrace = await connect({ url: server.url })
  t.after(async () => {
    stop()
    await millrace.close()
    await server.stop()
  })
  const redis = await server.client()
  await create(redis, 'orders')
  let looks = 0
  const counted = {
    send: (...args: string[]) => {
      if (args[0] === 'TIME') looks += 1
      return millrace.send(...args)
    },
    countEntries: millrace.countEntries.bind(millrace),
  }
  const snapshots = new Snapshots(counted, { everyMs: 20, ratesOverMs: 1000 })
  const known = () => snapshots.known
  assert.deepEqual(known(), { snapshot: null, ageMs: null, failure: null })
  const [one, other] = await Promise.all([snapshots.take(), snapshots.take()])
  assert.equal(one, other)
  assert.equal(looks, 1)
  assert.equal(await snapshots.take({ maxAgeMs: 60_000 }), one)
  assert.equal(looks, 1)
  let told = 0
  const stop = snapshots.watch(() => (told += 1))
  const isRated = () => {
    const { snapshot } = known()
    return snapshot?.streams[0]?.inPerSecond === 0 && told > 2
  }
  await waitFor(isRated, { what: 'a rate' })
  await server.kill9()
  await waitFor(() => known().failure !== null, { what: 'the server to be away' })
  const { snapshot, ageMs } = known()
  assert.equal(snapshot?.streams[0]?.key, 'orders')
  await waitFor(() => (known().ageMs ?? 0) > (ageMs ?? 0) + 100, { what: 'it to grow old' })
  await server.restart()
  await waitFor(() => known().failure === null, { what: 'the server to be back' })
  // What is gone with the server is not shown.
  await waitFor(() => known().snapshot?.streams.length === 0, { what: 'a new look' })
})

test('a snapshot of 1,000 groups with 10,000 consumers asks in small portions', async (t) => {
  const server = await startRedis()
  const millrace = await connect({ url: server.url })
  t.after(async () => {
    await millrace.close()
    await server.stop()
  })
  const redis = await server.client()
  const each = async (many: number, act: (at: number) => Promise<unknown>): Promise<void> => {
    await Promise.all(Array.from({ length: many }, (_, at) => act(at)))
  }
  for (let at = 0; at < 100; at += 1) await append(redis, 'orders', ago(60, at))
  await each(1000, (at) => redis.send('XGROUP', 'CREATE', 'orders', `g${at}`, '0'))
  await each(10_000, (at) =>
    redis.send(
      'XREADGROUP',
      'GROUP',
      `g${at % 1000}`,
      `c${at}`,
      'COUNT',
      '2',
      'STREAMS',
      'orders',
      '>',
    ),
  )
  let [inFlight, most, asked] = [0, 0, 0]
  const counted = {
    send: async (...args: string[]) => {
      asked += 1
      inFlight += 1
      most = Math.max(most, inFlight)
      try {
        return await millrace.send(...args)
      } finally {
        inFlight -= 1
      }
    },
    countEntries: millrace.countEntries.bind(millrace),
  }
  const cpu = async (): Promise<number> => {
    const info = String(await redis.send('INFO', 'cpu'))
    return [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].reduce(
      (sum, [, seconds]) => sum + Number(seconds) * 1000,
      0,
    )
  }
  const before = await cpu()
  const { streams } = await takeSnapshot(counted, { streams: ['orders'] })
  t.diagnostic(`${(await cpu()) - before} ms of the server, ${asked} commands`)
  const groups = streams.flatMap((one) => one.groups)
  assert.equal(groups.length, 1000)
  assert.equal(groups.flatMap(({ consumers }) => consumers).length, 10_000)
  assert.ok(
    groups.every(({ lag, pending }) => lag === 80 && pending === 20),
    'each group has read twenty of a hundred',
  )
  assert.ok(most <= 100, `${most} commands at once`)
  assert.ok(asked <= 8 * 1000 + 10_000 + 10, `${asked} commands`)
})
