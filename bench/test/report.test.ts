import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verdicts } from '../verdicts.ts'
import { benchmarks } from '../benchmarks/all.ts'
import { applyGroups } from '../benchmarks/apply.ts'
import { linesOver } from '../benchmarks/charts.ts'
import type { Result } from '../benchmarks/benchmark.ts'
import { compare, loadBaseline, partKept } from '../benchmarks/quick.ts'
import { runRounds, type Case } from '../measure/rounds.ts'
import { percentile, spreadOf } from '../measure/statistics.ts'
import { renderReport } from '../report/report.ts'
import { lineColour } from '../report/draw.ts'
import { renderTerminal } from '../report/terminal.ts'
import { rivals } from '../rivals/all.ts'
import type { Rival } from '../rivals/rival.ts'

const quiet = { spinMs: [10, 10], stolen: 0, others: 0 } as const
const disturbed = { ...quiet, others: 0.5 }

/** A case whose rounds give these rates, one after the other. */
function caseOf(rival: Rival, rates: readonly number[]): Case {
  const rest = [...rates]
  const { name, label, isOurs, processes, promise } = rival
  const facts = { processes, promise, count: 1000, users: 10, locations: 5, appendonly: 'no' }
  return {
    ...{ rival: name, label, isOurs, group: applyGroups.off, facts },
    measure: () => {
      const figures = { rate: rest.shift() ?? 0, serverMicros: 2, nodeMicros: 3, aofBytes: 0 }
      return Promise.resolve({ ...(rates[0] === 1 ? disturbed : quiet), figures })
    },
  }
}

async function applyResult(...cases: Case[]): Promise<Result> {
  const versions = { node: '20' }
  const machine = { cores: 2, cpu: 'a cpu', memoryGiB: 8, system: 'an OS', versions }
  return {
    benchmark: 'apply',
    scale: 'tiny',
    roundsAsked: 3,
    startedAt: '2026-01-01T00:00:00.000Z',
    machine,
    load: [0, 0],
    rows: await runRounds(cases, { rounds: 3, measured: () => undefined }),
  }
}

const [apply] = benchmarks

test('rounds are interleaved: every case once per round', async () => {
  const order: string[] = []
  const cases = [caseOf(rivals.seedLoop, [5, 6, 7]), caseOf(rivals.pull, [50, 60, 70])]
  const measured = (round: number, { rival }: { rival: string }): void =>
    void order.push(`${round} ${rival}`)
  const rows = await runRounds(cases, { rounds: 2, measured })
  assert.deepEqual(order, ['1 seed-loop', '1 millrace-pull', '2 seed-loop', '2 millrace-pull'])
  assert.deepEqual(rows[0]?.figures.rate, { median: 5.5, min: 5, max: 6 })
})

test('terminal and report show ratios of the same round, the range, and noisy rounds', async () => {
  const result = await applyResult(
    caseOf(rivals.seedLoop, [1, 2, 4]),
    caseOf(rivals.pull, [10, 30, 80]),
  )
  const shown = renderTerminal(apply!, result)
  assert.match(shown, /│ Millrace, pull +│ 15\.0 \(10\.0-20\.0\)/)
  assert.match(shown, /2 \(1-4\) \*3/)
  const document = renderReport([result]).get('benchmarks.md') ?? ''
  assert.ok(document.includes('| Millrace, pull | 15.0 (10.0-20.0) |'))
  assert.ok(document.includes('2 (1-4) \\*3'))
  assert.ok(document.includes('Not measured yet: `npm run bench -- idle`.'))
})

test('every benchmark has its place in the template of the report', () => {
  const document = renderReport([]).get('benchmarks.md') ?? ''
  for (const { name } of benchmarks) {
    assert.ok(document.includes(`Not measured yet: \`npm run bench -- ${name}\`.`), name)
  }
})

test('charts are SVG whose tags are closed, with the labels escaped', async () => {
  const odd = { ...rivals.seedLoop, label: 'a < b & "c"' }
  const result = await applyResult(caseOf(odd, [1, 2, 4]), caseOf(rivals.pull, [10, 30, 80]))
  const chart = renderReport([result]).get('benchmarks/apply.svg') ?? ''
  assert.ok(chart.includes('a &lt; b &amp; &quot;c&quot;'))
  assert.ok(chart.includes('prefers-color-scheme:dark'))
  const open: string[] = []
  for (const [, closing, name, self] of chart.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
    if (closing === '/') assert.equal(open.pop(), name)
    else if (self !== '/') open.push(String(name))
  }
  assert.deepEqual(open, [])
})

test('a column in which no row has anything is left out, and one with a single value is not', async () => {
  const result = await applyResult(caseOf(rivals.seedLoop, [1, 2, 4]))
  assert.doesNotMatch(renderTerminal(apply!, result), /AOF bytes/)
  const [row] = result.rows
  const written = { ...row!, facts: { ...row!.facts, appendonly: 'always' } }
  assert.match(renderTerminal(apply!, { ...result, rows: [row!, written] }), /AOF bytes/)
})

test('the lines of a chart have colours of their own', async () => {
  const ours = [rivals.pushDown, rivals.pull, rivals.handler].map((rival) =>
    caseOf(rival, [1, 2, 3]),
  )
  const { rows } = await applyResult(...ours)
  const colours = linesOver(rows, 'count', [1000], 'rate').map(lineColour)
  assert.equal(new Set(colours).size, ours.length)
})

test('bars say reached or missed by the medians, and nothing where nothing was measured', async () => {
  const result = await applyResult(
    caseOf(rivals.batchLoop, [100, 100, 100]),
    caseOf(rivals.handler, [150, 250, 300]),
  )
  const [bar, ...others] = verdicts([result])
  assert.deepEqual(others, [])
  assert.deepEqual([bar?.measured, bar?.isReached], ['2.5 times', true])
  const slower = await applyResult(
    caseOf(rivals.batchLoop, [100, 100, 100]),
    caseOf(rivals.handler, [150, 199, 300]),
  )
  assert.deepEqual(
    verdicts([slower]).map(({ isReached }) => isReached),
    [false],
  )
})

test('a missed bar says its limit where even the floor is below what is wanted', async () => {
  const limitsBelow = async (floorRate: number): Promise<(string | undefined)[]> => {
    const result = await applyResult(
      caseOf(rivals.seedLoop, [100, 100, 100]),
      caseOf(rivals.floor, [floorRate, floorRate, floorRate]),
      caseOf(rivals.handler, [900, 900, 900]),
    )
    return verdicts([result]).map(({ limit }) => limit)
  }
  const [limit] = await limitsBelow(1000)
  assert.match(limit ?? '', /would be 4,500\/s.* reaches 1,000\/s/)
  const [cost] = await limitsBelow(5000)
  assert.match(cost ?? '', /would be 4,500\/s; the server takes 2\.0 µs for each/)
})

test('quick calls a ratio a regression when it is far below the committed one', () => {
  const committed = { 'a / b': 10 }
  assert.equal(compare({ 'a / b': 10 * partKept }, committed).isRegression, false)
  assert.equal(compare({ 'a / b': 10 * partKept - 0.1 }, committed).isRegression, true)
  assert.equal(compare({ 'c / d': 0.1 }, committed).isRegression, false)
})

test('the committed baseline of quick holds ratios', async () => {
  const ratios = Object.values(await loadBaseline())
  assert.ok(ratios.length > 0 && ratios.every((ratio) => ratio > 0))
})

test('statistics take the middle, the ends, and the value that a part does not exceed', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 })
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.deepEqual(
    [0.5, 0.99, 1].map((part) => percentile(hundred, part)),
    [50, 99, 100],
  )
  assert.throws(() => percentile([], 0.5), /there are no values/)
})
