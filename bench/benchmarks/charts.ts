/** How rows become bars and lines of charts. */
import type { Row } from '../measure/rounds.ts'
import type { Bar, Line } from '../report/chart.ts'
import { shortLabel } from '../report/sections.ts'
import { rivals } from '../rivals/all.ts'

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
    const { label, isOurs } = own[0]!
    return {
      label: label.replace(/ \(.*\)/, ''),
      isOurs,
      rank: rankOf(name, isOurs),
      values: steps.map((step) => own.find(({ facts }) => facts[fact] === step)?.figures[figure]),
    }
  })
}

/** The place of a rival among ours or among the peers: it gives a line the same colour in all charts. */
function rankOf(name: string, isOurs: boolean): number {
  const alike = Object.values(rivals).filter((rival) => rival.isOurs === isOurs)
  return Math.max(
    0,
    alike.findIndex((rival) => rival.name === name),
  )
}
