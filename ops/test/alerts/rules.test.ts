/** The alerts that are shipped: Prometheus takes them, they fire when they should, and each leads to its runbook. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { thisCheckout } from '../../../testing/processes.ts'
import { noPrometheus, promtool } from '../../../testing/promtool.ts'

interface Rule {
  readonly alert?: string
  readonly expr: string
  readonly for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

const rulesFile = join(thisCheckout, 'ops/alerts.yml')
const { groups } = parse(readFileSync(rulesFile, 'utf8')) as {
  groups: { name: string; rules: Rule[] }[]
}
const alerts = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined)
const page = 'https://github.com/millrace/millrace/blob/main/docs/operations.md'

test('rules are right for promtool', { skip: noPrometheus }, () => {
  const { exitCode, said } = promtool(['check', 'rules', rulesFile])
  assert.equal(exitCode, 0, said)
})

test('each alert fires, stays silent just below, and clears', { skip: noPrometheus }, () => {
  const file = join(thisCheckout, 'ops/alerts.test.yml')
  const { exitCode, said } = promtool(['test', 'rules', file])
  assert.equal(exitCode, 0, said)
})

test('each alert is tested, and at a moment when it fires', () => {
  const { tests } = parse(readFileSync(join(thisCheckout, 'ops/alerts.test.yml'), 'utf8')) as {
    tests: { alert_rule_test?: { alertname: string; exp_alerts?: unknown[] }[] }[]
  }
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test ?? [])
  const fires = (name: string, isFiring: boolean): boolean =>
    cases.some(
      ({ alertname, exp_alerts = [] }) => alertname === name && exp_alerts.length > 0 === isFiring,
    )
  const names = alerts.map(({ alert }) => alert ?? '')
  assert.deepEqual(
    names.filter((name) => !fires(name, true) || !fires(name, false)),
    [],
  )
})

test('each alert has a severity, a time, texts with its labels, and a runbook', () => {
  const headings = readFileSync(join(thisCheckout, 'docs/operations.md'), 'utf8')
    .split('\n')
    .flatMap((line) => /^### (\w+)$/.exec(line)?.slice(1) ?? [])
  for (const { alert = '', expr, for: time, labels, annotations = {} } of alerts) {
    assert.ok(['warning', 'critical'].includes(labels?.severity ?? ''), `${alert}: severity`)
    assert.match(time ?? '', /^\d+[sm]$/, `${alert}: for`)
    const { summary = '', description = '', runbook_url } = annotations
    const texts = `${summary} ${description}`
    if (expr.includes('millrace:group_')) assert.match(texts, /\$labels\.stream.*\$labels\.group/s)
    else if (expr.includes('millrace:stream_')) assert.match(texts, /\$labels\.stream/)
    assert.equal(runbook_url, `${page}#${alert.toLowerCase()}`)
    assert.ok(headings.includes(alert), `docs/operations.md has no heading "### ${alert}"`)
  }
})
