/** How rows become bars and lines of charts. */
import type { Row } from '../measure/rounds.ts'
import type { Bar, Line } from '../report/chart.ts'
import { shortLabel } from '../report/sections.ts'

/** One bar per row: its rate. */
export function rateBars(rows: readonly Row[]): Bar[] {
  return rows.map((row) => ({
    label: shortLabel(row),
    value: row.figures.rate!,
    kind: row.isOurs ? 'ours' : row.facts.promise === 'no effect' ? 'floor' : 'peer',
  }))
}

/** One line per rival through rows that differ in one fact. */
export function linesOver(
  rows: readonly Row[],
  fact: string,
  steps: readonly (string | number)[],
  figure: string,
): Line[] {
  const names = [...new Set(rows.map(({ rival }) => rival))]
  return names.map((name) => {
    const own = rows.filter(({ rival }) => rival === name)
    return {
      label: own[0]!.label.replace(/ \(.*\)/, ''),
      isOurs: own[0]!.isOurs,
      values: steps.map((step) => own.find(({ facts }) => facts[fact] === step)?.figures[figure]),
    }
  })
}
