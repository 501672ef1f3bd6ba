/** The dashboards that are shipped: as their declarations say, complete, and such that Prometheus takes every query. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as units from '@grafana/grafana-foundation-sdk/units'
import { thisCheckout } from '../../../testing/processes.ts'
import { faultsOf, noPrometheus } from '../../../testing/promtool.ts'
import { dashboards } from '../../dashboards/all.ts'
import { textOf } from '../../dashboards/text-of.ts'

interface Panel {
  readonly id?: number
  readonly type: string
  readonly title?: string
  readonly description?: string
  readonly datasource?: { readonly uid: string }
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly {
    readonly expr: string
    readonly datasource: { readonly uid: string }
  }[]
  readonly links?: readonly { readonly url: string }[]
}

interface Variable {
  readonly name: string
  readonly type: string
}

const folder = join(thisCheckout, 'ops/grafana')
const fileOf = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8')
const names = Object.keys(dashboards)
const parsed = names.map((name) => {
  const { panels, templating } = JSON.parse(fileOf(name)) as {
    panels: Panel[]
    templating: { list: Variable[] }
  }
  return { name, all: panels, panels: panels.filter(({ type }) => type !== 'row'), templating }
})

test('files are as "npm run dashboards" writes them', async () => {
  assert.deepEqual(readdirSync(folder).sort(), names.map((name) => `${name}.json`).sort())
  for (const [name, dashboard] of Object.entries(dashboards)) {
    assert.equal(fileOf(name), await textOf(dashboard), `${name}.json: run "npm run dashboards"`)
  }
})

test('each panel has a title, a description, a unit and a query', () => {
  const known = new Set<unknown>(Object.values(units))
  for (const { name, panels } of parsed) {
    assert.ok(panels.length > 5, name)
    for (const { title = '', description = '', fieldConfig, targets = [] } of panels) {
      const where = `${name}: ${title}`
      assert.match(title, /^\S/, where)
      assert.match(description, /\.$/, where)
      assert.ok(known.has(fieldConfig?.defaults.unit ?? ''), `${where}: unit`)
      assert.ok(targets.length > 0 && targets.every(({ expr }) => expr !== ''), `${where}: query`)
    }
  }
})

test('panels stand side by side, each under an id of its own', () => {
  for (const { name, all } of parsed) {
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length, name)
    for (const [at, { title, gridPos: a }] of all.entries()) {
      assert.ok(a.x >= 0 && a.w > 0 && a.x + a.w <= 24, `${name}: ${title}`)
      const over = all.slice(at + 1).filter(({ gridPos: b }) => {
        return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
      })
      assert.deepEqual(over, [], `${name}: over "${title}"`)
    }
  }
})

test('no data source is named: a variable chooses it', () => {
  for (const { name, panels, templating } of parsed) {
    const [first] = templating.list
    assert.deepEqual([first?.name, first?.type], ['datasource', 'datasource'], name)
    const uids = [...fileOf(name).matchAll(/"datasource": \{[^}]*"uid": "([^"]*)"/g)]
    assert.ok(uids.length > panels.length, name)
    assert.deepEqual([...new Set(uids.map(([, uid]) => uid))], ['${datasource}'], name)
  }
})

test('stream and group are chosen; how old the data is, is shown first', () => {
  for (const { name, panels, templating } of parsed) {
    const variables = templating.list.map((variable) => variable.name)
    const wanted = name === 'receiver' ? ['job'] : ['stream', 'group']
    assert.deepEqual(variables, ['datasource', ...wanted, 'filters'], name)
    const stale = panels.find(({ title }) => title === 'Age of what is shown')
    assert.equal(stale?.gridPos.y, panels[0]?.gridPos.y, name)
  }
})

test('runbooks that panels lead to are there', () => {
  const handbook = readFileSync(join(thisCheckout, 'docs/operations.md'), 'utf8')
  const headings = [...handbook.matchAll(/^### (\w+)$/gm)].map(([, heading = '']) => heading)
  for (const { name, panels } of parsed) {
    const anchors = panels.flatMap(({ links = [] }) => links.map(({ url }) => url.split('#')[1]))
    assert.ok(anchors.length > 0, name)
    for (const anchor of anchors)
      assert.ok(
        headings.some((heading) => heading.toLowerCase() === anchor),
        `${name}: #${anchor}`,
      )
  }
})

test('Prometheus takes every query', { skip: noPrometheus }, () => {
  const expressions = parsed.flatMap(({ panels }) =>
    panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  )
  assert.ok(expressions.length > 50)
  assert.equal(faultsOf(expressions.map((expr) => expr.replaceAll('$__rate_interval', '5m'))), '')
})

test('a query that Prometheus does not take is found', { skip: noPrometheus }, () => {
  assert.match(faultsOf(['max(up)', 'max by (up']), /could not parse/)
})
