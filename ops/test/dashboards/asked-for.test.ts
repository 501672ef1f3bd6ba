/** What the shipped rules and dashboards ask for, an exporter and consumers tell. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'millrace'
import { namesAsked, namesServed } from '../../../testing/metric-names.ts'
import { thisCheckout } from '../../../testing/processes.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { ConsumerMetrics } from '../../src/metrics/index.ts'
import { startExporter } from '../stage/exporter.ts'

const textOf = (file: string): string => readFileSync(join(thisCheckout, 'ops', file), 'utf8')

/** By the file that asks. */
function asked(): Map<string, string[]> {
  const rules = textOf('alerts.yml').replaceAll(/^ *(?:summary|description|runbook_url|#).*$/gm, '')
  const files: [file: string, text: string][] = [['alerts.yml', rules]]
  for (const name of ['overview', 'group']) {
    const file = `grafana/${name}.json`
    const queries = textOf(file).matchAll(/"(?:expr|query)": ("(?:[^"\\]|\\.)*")/g)
    const texts = [...queries].map(([, quoted = '']) => JSON.parse(quoted) as string)
    files.push([file, texts.join('\n')])
  }
  return new Map(files.map(([file, text]) => [file, namesAsked(text, ['millrace_'])]))
}

test('each metric that rules and dashboards ask for is told by an exporter or a consumer', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const exporter = await startExporter(server.url)
  t.after(() => exporter.stop())
  const millrace = await connect({ url: server.url })
  t.after(() => millrace.close())
  const consumers = new ConsumerMetrics({ stream: 'orders', group: 'billing' })
  consumers.watchConnection(millrace)
  const served = namesServed((await exporter.text()) + (await consumers.text()))
  for (const [file, names] of asked()) {
    assert.ok(names.length > 10, file)
    assert.deepEqual(
      names.filter((name) => !served.has(name)),
      [],
      file,
    )
  }
})
