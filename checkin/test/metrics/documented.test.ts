/** docs/metrics.md holds what every process serves: each metric with its type and its help, and nothing else; and promtool takes all of them. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { ConsumerMetrics, Exporter, TrimMetrics } from 'millrace-ops/metrics'
import { metricFaults, noPrometheus } from '../../../testing/promtool.ts'
import { thisCheckout } from '../../../testing/processes.ts'
import { GeneratorMetrics } from '../../src/generator/generator-metrics.ts'
import { ReceiverMetrics } from '../../src/receiver/metrics/metrics.ts'

const connection = { isConnected: true, refusal: undefined, reconnects: 0 }
const nobody = {
  take: () => Promise.reject(new Error('away')),
  known: { snapshot: null, ageMs: null, failure: null },
}

async function exporterText(): Promise<string> {
  const say = (): void => undefined
  const exporter = new Exporter({
    connect: () => Promise.reject(new MillraceError('UNREACHABLE', 'away')),
    log: { debug: say, info: say, warn: say, error: say },
    bounds: { streamsMax: 1, groupsMax: 1, consumersMax: 1 },
  })
  const run = exporter.run()
  const text = await exporter.text()
  await exporter.stop()
  await run
  return text
}

async function receiverText(): Promise<string> {
  const metrics = new ReceiverMetrics()
  metrics.watchConnection(connection, () => Promise.resolve(false))
  metrics.watch('s', { state: { kind: 'free' } }, () => Promise.resolve(1))
  metrics.watchKeys(() => 1)
  metrics.watchGroups(nobody)
  return await metrics.text()
}

async function consumerText(): Promise<string> {
  const metrics = new ConsumerMetrics({ stream: 's', group: 'g' })
  metrics.watchConnection(connection)
  return await metrics.text()
}

const texts = await Promise.all([
  exporterText(),
  receiverText(),
  consumerText(),
  new TrimMetrics('s', connection).text(),
  new GeneratorMetrics(() => true).text(),
])

/** `name type`, and what else stands in its row. */
function served(text: string): [string, string][] {
  const helps = new Map(
    [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, help]) => [name, help]),
  )
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
    .filter(([, name = '']) => !/^(?:nodejs|process)_/.test(name))
    .map(([, name = '', type = '']) => [`${name} ${type}`, helps.get(name) ?? ''])
}

test('each metric stands in docs/metrics.md, as it is served', () => {
  const page = readFileSync(`${thisCheckout}docs/metrics.md`, 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)`\s*\| (\w+)\s*\| (.*?)\s*\|$/gm)]
  const told = new Map(rows.map(([, name = '', type = '', help = '']) => [`${name} ${type}`, help]))
  const all = new Map(texts.flatMap(served))
  // One name means one thing, whoever serves it.
  const missing = [...all].filter(([metric, help]) => told.get(metric) !== help)
  const rowOf = ([metric, help]: [string, string]): string => {
    const [name = '', type = ''] = metric.split(' ')
    return `| \`${name}\` | ${type} | ${help} |`
  }
  assert.deepEqual(missing.map(rowOf), [])
  assert.deepEqual(
    [...told.keys()].filter((metric) => !all.has(metric)),
    [],
    'no longer served',
  )
})

test('promtool takes them all', { skip: noPrometheus }, () => {
  for (const text of texts) assert.equal(metricFaults(text), '')
})
