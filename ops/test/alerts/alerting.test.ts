/**
 * A real Prometheus with the rules that are shipped asks a real exporter about real consumers: alerts fire when consumers end, and
 * clear when one comes again. Only the times of the rules are shorter (`shortened.ts`).
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect, count, integer, projection, stream, type Millrace } from 'millrace'
import {
  startPrometheus,
  type ActiveAlert,
  type TestPrometheus,
} from '../../../testing/prometheus.ts'
import { noPrometheus } from '../../../testing/promtool.ts'
import { startRedis, type TestServer } from '../../../testing/redis-servers.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { startExporter, type Exporter } from '../stage/exporter.ts'
import { shortenedRules } from './shortened.ts'

const orders = stream('orders', { customer: integer(1) })
const customers = projection('customers:{customer}', { orders: count() })

// Two scrapes and two evaluations, a second apart each, and a machine that is busy.
const patience = { timeoutMs: 60_000, everyMs: 200 }

describe('alerts in a real Prometheus', { skip: noPrometheus }, () => {
  let server: TestServer
  let redis: TestClient
  let millrace: Millrace
  let exporter: Exporter
  let prometheus: TestPrometheus

  before(async () => {
    server = await startRedis()
    redis = await server.client()
    millrace = await connect({ url: server.url })
    await millrace.group(orders, 'billing').create()
    await redis.send('XGROUP', 'CREATE', 'parcels', 'shipping', '0', 'MKSTREAM')
    exporter = await startExporter(server.url)
    const rules = shortenedRules({ silentS: 5 })
    prometheus = await startPrometheus({ exporter: [exporter.port] }, { rules })
  })
  after(async () => {
    await prometheus.stop()
    await exporter.stop()
    await millrace.close()
    await server.stop()
  })

  const firing = async (name: string, labels: Readonly<Record<string, string>> = {}) => {
    const alerts = await prometheus.alerts()
    return alerts.find(
      (alert) =>
        alert.state === 'firing' &&
        alert.labels.alertname === name &&
        Object.entries(labels).every(([label, value]) => alert.labels[label] === value),
    )
  }
  const fires = async (...alert: Parameters<typeof firing>): Promise<ActiveAlert> =>
    await waitFor(() => firing(...alert), { what: `${alert[0]} to fire`, ...patience })
  const clears = async (...alert: Parameters<typeof firing>): Promise<unknown> =>
    await waitFor(async () => (await firing(...alert)) === undefined, {
      what: `${alert[0]} to clear`,
      ...patience,
    })
  /** Prometheus has seen what is now, and has evaluated the rules with it. */
  const settled = async (expression: string): Promise<void> => {
    await waitFor(async () => (await prometheus.query(expression)).length > 0, {
      what: expression,
      ...patience,
    })
  }

  /** @returns what stops it, and throws what it failed with. */
  const startConsumer = (): (() => Promise<void>) => {
    const consumer = millrace.group(orders, 'billing').consumer('one', { projections: [customers] })
    const ended = consumer.run()
    return async () => {
      await consumer.stop()
      await ended
    }
  }

  test('NoConsumers fires while entries wait and no consumer lives, and clears when one does', async () => {
    const stopFirst = startConsumer()
    await millrace.append(orders, { customer: 1 })
    await settled('millrace:group_consumers_alive{stream="orders",group="billing"} == 1')
    await stopFirst()
    await settled('millrace:group_consumers_alive{stream="orders",group="billing"} == 0')
    assert.equal(await firing('NoConsumers'), undefined, 'nothing waits')

    await millrace.append(orders, { customer: 2 })
    const alert = await fires('NoConsumers', { stream: 'orders' })
    assert.deepEqual(alert.labels, {
      alertname: 'NoConsumers',
      ...{ stream: 'orders', group: 'billing' },
      ...{ severity: 'critical', work: 'managed' },
    })
    assert.match(
      alert.annotations.description ?? '',
      /^No consumer of group billing lives, and entries of stream orders wait, the oldest for [\d.]+m?s\.$/,
    )

    const stopSecond = startConsumer()
    await clears('NoConsumers', { stream: 'orders' })
    assert.equal(await redis.send('HGET', 'customers:2', 'orders'), '1')
    await stopSecond()
  })

  test('NoConsumers of a group of others goes by when anybody asked last', async () => {
    const read = async (id: string): Promise<unknown> =>
      await redis.send(
        'XREADGROUP',
        'GROUP',
        'shipping',
        'w',
        'COUNT',
        '1',
        'STREAMS',
        'parcels',
        id,
      )
    await redis.send('XADD', 'parcels', '*', 'weight', '1')
    await redis.send('XADD', 'parcels', '*', 'weight', '2')
    await read('>')
    // One is pending, one is undelivered, and somebody asks.
    const ofParcels = 'stream="parcels",group="shipping"'
    await settled(
      `millrace:group_idle_seconds{${ofParcels}} < 5 and millrace:group_waiting_seconds`,
    )
    assert.equal(await firing('NoConsumers', { stream: 'parcels' }), undefined)

    const alert = await fires('NoConsumers', { stream: 'parcels' })
    assert.equal(alert.labels.work, 'foreign')
    assert.match(alert.annotations.summary ?? '', /^Nobody reads for group shipping of parcels$/)

    // It asks again for what it has, and does not finish.
    const asking = setInterval(() => void read('0'), 500)
    await clears('NoConsumers', { stream: 'parcels' })
    clearInterval(asking)
    const [pending] = (await redis.send('XPENDING', 'parcels', 'shipping')) as [number]
    assert.equal(pending, 1, 'the alert has cleared though entries wait')
    await redis.send('XGROUP', 'DESTROY', 'parcels', 'shipping')
  })

  test('a server that is gone is told, and nothing about its groups any more', async () => {
    await millrace.append(orders, { customer: 3 })
    await fires('NoConsumers', { stream: 'orders' })
    await server.kill9()
    await fires('RedisUnreachable')
    await clears('NoConsumers')
    await server.restart()
    await clears('RedisUnreachable')
    assert.equal(await firing('MetricsMissing'), undefined)
  })

  test('an exporter that is gone is told', async () => {
    await exporter.stop()
    await fires('MetricsMissing')
  })
})
