/** A run in words: faults by kind, operations by class, verdict; after a violation, what it takes to find its cause. */
import type { Classes } from './judge.ts'
import type { RunResult } from './run.ts'

/** The lines for a terminal. */
export function renderRun(result: RunResult): string {
  const { server, seed, seconds, recoveries, claimed, superseded, retried, looks } = result
  const slowest = recoveries.length === 0 ? 0 : Math.max(...recoveries)
  return [
    `${server}, seed ${seed}, ${seconds} s`,
    '',
    ...table([
      ['fault', 'struck', 'bit'],
      ...[...result.tallies].map(([kind, { strikes, bites }]) => [
        kind,
        plain(strikes),
        plain(bites),
      ]),
    ]),
    '',
    ...table([['operations', 'count'], ...classRows(result.classes)]),
    '',
    `Claimed ${plain(claimed)}, superseded ${plain(superseded)}, retried ${plain(retried)}; ` +
      `${plain(looks)} looks at the sums meanwhile; after a fault of the server the work went on within ${plain(slowest)} ms.`,
    ...verdictLines(result),
  ].join('\n')
}

function classRows(classes: Classes): string[][] {
  return [
    ['ok', plain(classes.ok)],
    ['lost', plain(classes.lost)],
    ['recovered (reply lost, there once)', plain(classes.recovered)],
    ['unexpected', plain(classes.unexpected)],
    ['duplicated', plain(classes.duplicated)],
    ['refused or cut, and never there', plain(classes.neverHappened)],
    ['rolled back (power lost, file torn)', plain(classes.rolledBack)],
  ]
}

const shownMax = 10
const aroundMax = 12

function verdictLines(result: RunResult): string[] {
  const { history, verdict, tallies, evidence } = result
  if (verdict === 'ok') return ['Verdict: ok']
  if (verdict === 'void') {
    const missing = [...tallies].flatMap(([kind, { bites }]) => (bites === 0 ? [kind] : []))
    return [`Verdict: void. Never bit: ${missing.join(', ')}`]
  }
  const shown = history.violations
    .slice(0, shownMax)
    .flatMap(({ kind, what, ids }) => [
      `  ${kind}: ${what}`,
      ...ids.slice(0, 3).flatMap((id) => storyOf(result, id)),
    ])
  return [
    ...shown,
    `Verdict: violation, ${plain(history.violations.length)} found. Repeat: npm run chaos -- --seed ${result.seed}`,
    `Timeline, output of the consumers and data of the server: ${evidence ?? 'not kept'}`,
  ]
}

/** What went on when an entry was sent. */
function storyOf({ history }: RunResult, id: string): string[] {
  const operation = history.entries.get(id)
  if (operation === undefined) return [`    ${id}`]
  const { sort, userId, locationId, stars, sentAt, outcome } = operation
  const what = `user ${userId}, location ${locationId}, stars ${stars}, ${sort}, ${outcome}`
  const from = history.timeline.findIndex((line) => Number.parseFloat(line) * 1000 >= sentAt - 500)
  const around = from < 0 ? [] : history.timeline.slice(from, from + aroundMax)
  return [
    `    ${id}: sent at ${(sentAt / 1000).toFixed(3)} s: ${what}`,
    ...around.map((line) => `      ${line.slice(0, 200)}`),
  ]
}

/** Columns under each other; numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const isNumber = (at: number): boolean =>
    rows.slice(1).every((row) => /^[\d,]+$/.test(row[at] ?? ''))
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => (row[at] ?? '').length)),
  )
  return rows.map((row) =>
    row
      .map((cell, at) =>
        isNumber(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

const plain = (value: number): string => value.toLocaleString('en-US')
