/** What the shipped dashboard and alert of the receiver ask for, it tells. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { namesAsked, namesServed } from '../../../../testing/metric-names.ts'
import { thisCheckout } from '../../../../testing/processes.ts'
import { receiverStage } from '../../stage/receiver-stage.ts'

const textOf = (file: string): string => readFileSync(join(thisCheckout, 'ops', file), 'utf8')
const prefixes = ['checkin_', 'process_', 'nodejs_']

/** Every expression of the dashboard; of the rules all lines but what people read. */
function asked(): string[] {
  const queries = textOf('grafana/receiver.json').matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)
  const rules = textOf('alerts.yml').replaceAll(/^ *(?:summary|description|#).*$/gm, '')
  const texts = [...[...queries].map(([, quoted = '']) => JSON.parse(quoted) as string), rules]
  return [...new Set(texts.flatMap((text) => namesAsked(text, prefixes)))]
}

test('the receiver tells every metric that its dashboard and its alert ask for', async (t) => {
  const { get, post } = await receiverStage(t)
  await post({})
  const served = namesServed((await get('/metrics')).text)
  assert.ok(asked().length > 8, asked().join())
  assert.deepEqual(
    asked().filter((name) => !served.has(name)),
    [],
  )
})

test('names are read from expressions without their suffixes, and not from their texts', () => {
  const expression =
    'histogram_quantile(0.9, sum by (le) (rate(checkin_a_seconds_bucket{job="checkin_b"}[5m]))) + checkin_c_total'
  assert.deepEqual(namesAsked(expression, prefixes), ['checkin_a_seconds', 'checkin_c_total'])
})
