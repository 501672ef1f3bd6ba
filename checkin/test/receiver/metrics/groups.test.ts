/** What `/metrics` tells of the groups: enough to be alerted, and at a bounded cost, however often it is asked for. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Snapshots } from 'millrace-ops/snapshot'
import { freshPrefix, onOldestAndNewest, type Bench } from '../../../../testing/on-each-server.ts'
import { runMain } from '../../../../testing/processes.ts'
import { startRedis } from '../../../../testing/redis-servers.ts'
import { waitFor } from '../../../../testing/wait-for.ts'
import { checkinModel } from '../../../src/domain/checkins.ts'
import { createReceiver } from '../../../src/receiver/receiver.ts'
import { collectingLog, request } from '../../stage/receiver-stage.ts'

const name = 'checkinConsumers'
const values = { userId: 1, locationId: 1, starRating: 5 }

/** A receiver on a stream with its group; says how often the groups were looked at. */
async function started(t: TestContext, { millrace }: Bench) {
  const model = checkinModel(freshPrefix())
  const group = millrace.group(model.checkins, name)
  await group.create()
  let looks = 0
  const snapshots = new Snapshots(millrace, { streams: [model.checkins.key] })
  const groups = {
    take: () => {
      looks += 1
      return snapshots.take()
    },
    get known() {
      return snapshots.known
    },
  }
  const receiver = createReceiver({ millrace, model, group, groups, log: collectingLog().log })
  const url = await receiver.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => receiver.close())
  const read = async (): Promise<Record<string, number>> => {
    const { text } = await request(`${url}/metrics`)
    const lines = text.matchAll(
      /^checkin_group_(\w+)\{stream="[^"]+",group="checkinConsumers"\} (.*)$/gm,
    )
    return Object.fromEntries(
      [...lines].map(([, metric = '', value]) => [metric, Number(value)] as const),
    )
  }
  return { model, group, read, looks: () => looks }
}

onOldestAndNewest('metrics of groups', (bench) => {
  test('tell lag, ages, dead letters, who lives and who is paused', async (t) => {
    const { millrace, redis } = bench()
    const { model, group, read } = await started(t, bench())
    const { key } = model.checkins
    const idle = { lag: 0, lag_seconds: 0, pending: 0, oldest_pending_seconds: 0 }
    const nobody = { dead_letters: 0, consumers_alive: 0, consumers_paused: 0, paused: 0 }
    assert.deepEqual(await read(), { ...idle, ...nobody })
    const ago = (seconds: number) => `${Date.now() - seconds * 1000}-0`
    await millrace.append(model.checkins, values, { id: ago(300) })
    await millrace.append(model.checkins, values, { id: ago(100) })
    await redis.send('XREADGROUP', 'GROUP', name, 'cli', 'COUNT', '1', 'STREAMS', key, '>')
    await redis.send('XADD', `${key}:${name}:dead`, '*', 'id', '1-0')
    await group.pause()
    await group.pause({ consumer: 'cli' })
    const consumer = group.consumer('one', { projections: [model.users] })
    const run = consumer.run()
    t.after(() => consumer.stop())
    t.after(() => run)
    const told = await waitFor(
      async () => {
        const metrics = await read()
        return metrics.consumers_alive === 1 ? metrics : undefined
      },
      { what: 'the living consumer' },
    )
    const { lag_seconds: lagSeconds = 0, oldest_pending_seconds: held = 0, ...counts } = told
    assert.deepEqual(counts, {
      ...{ lag: 1, pending: 1, dead_letters: 1 },
      ...{ consumers_alive: 1, consumers_paused: 1, paused: 1 },
    })
    assert.ok(lagSeconds >= 100 && lagSeconds < 250, `${lagSeconds}`)
    assert.ok(held >= 300 && held < 450, `${held}`)
  })

  test('are looked at once a second at most, and are missing where they cannot be', async (t) => {
    const { redis } = bench()
    const { model, read, looks } = await started(t, bench())
    const since = performance.now()
    for (let n = 0; n < 20; n += 1) await read()
    const seconds = Math.floor((performance.now() - since) / 1000)
    assert.ok(looks() >= 1 && looks() <= 1 + seconds, `${looks()} looks in ${seconds} s`)
    await redis.send('SET', model.checkins.key, 'text')
    await waitFor(async () => Object.keys(await read()).length === 0, { what: 'none to be left' })
  })
})

test('metrics of groups are asked for by one worker, not by each', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const redis = await server.client()
  await redis.send('XGROUP', 'CREATE', 'ncc:checkins', name, '0', 'MKSTREAM')
  await redis.send('XGROUP', 'CREATECONSUMER', 'ncc:checkins', name, 'cli')
  const env = { REDIS_URL: server.url, LOG_FORMAT: 'json' }
  const main = runMain(['checkinreceiver', '--port', '0', '--workers', '2'], { env })
  await waitFor(() => main.stdout.split('Receiver listens on').length > 2, {
    what: 'all workers to listen',
    timeoutMs: 60_000,
  })
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(main.stdout)?.[0] ?? ''
  // Only a look at the groups asks for a list of consumers.
  const asked = async (): Promise<number> => {
    const stats = String(await redis.send('INFO', 'commandstats'))
    return Number(/^cmdstat_xinfo\|consumers:calls=(\d+)/m.exec(stats)?.[1] ?? 0)
  }
  const { text } = await request(`${url}/metrics`)
  assert.match(text, /^checkin_group_lag\{stream="ncc:checkins",group="checkinConsumers"\} 0$/m)
  assert.equal(await asked(), 1)
  main.kill('SIGTERM')
  assert.equal((await main.exited).code, 0)
})
