/** What is shown of a result, whether on a terminal or in the document: tables and notes. */
import type { Benchmark, Result } from '../benchmarks/benchmark.ts'
import { disturbanceMax } from '../measure/disturbance.ts'
import { ratioOf, type Row } from '../measure/rounds.ts'
import { decimals, withRange } from './format.ts'

export interface Table {
  readonly title: string
  readonly heads: readonly string[]
  readonly aligns: readonly ('left' | 'right')[]
  readonly rows: readonly (readonly string[])[]
}

/** One table per group, each followed by that of the ratios when the benchmark has one. */
export function tablesOf(benchmark: Benchmark, { rows }: Result): Table[] {
  return [...groupsOf(rows)].flatMap(([group, members]) => {
    const ratios = benchmark.compared === undefined ? [] : ratioTable(members, benchmark.compared)
    return [figuresTable(benchmark, group, members), ...ratios]
  })
}

/** Rows by the conditions that they were measured under, in the order of their first. */
function groupsOf(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row])
  return groups
}

/** A column in which no row has anything is left out. */
function figuresTable({ columns }: Benchmark, title: string, rows: readonly Row[]): Table {
  const shown = columns.filter(({ cell }) => rows.some((row) => cell(row) !== '-'))
  return {
    title,
    heads: shown.map(({ head }) => head),
    aligns: shown.map(({ align }) => align ?? 'right'),
    rows: rows.map((row) => shown.map(({ cell }) => cell(row))),
  }
}

/** Ours against each peer in the same round. */
function ratioTable(rows: readonly Row[], figure: string): Table[] {
  const [ours, peers] = [rows.filter(({ isOurs }) => isOurs), rows.filter(({ isOurs }) => !isOurs)]
  if (ours.length === 0 || peers.length === 0) return []
  return [
    {
      title: 'times as fast as each peer, in the same round',
      heads: ['', ...peers.map(shortLabel)],
      aligns: ['left', ...peers.map(() => 'right' as const)],
      rows: ours.map((row) => [
        shortLabel(row),
        ...peers.map((peer) => withRange(ratioOf(row, peer, figure), decimals(1))),
      ]),
    },
  ]
}

/** The label without what stands in parentheses, with the number of consumers when there are several. */
export function shortLabel({ label, facts }: Row): string {
  const consumers = Number(facts.processes ?? 1)
  return label.replace(/ \(.*\)/, '') + (consumers > 1 ? ` x${consumers}` : '')
}

const percent = (share: number): string => `${100 * share} %`
const noiseMeans =
  `a fixed loop takes over ${percent(disturbanceMax.spinDifference)} longer or shorter after it than before, ` +
  `the host takes over ${percent(disturbanceMax.stolen)} of the machine's time, ` +
  `or other processes over ${percent(disturbanceMax.others)}`

/** What a reader must know to read the numbers: one sentence each. */
export function notesOf(benchmark: Benchmark, result: Result): string[] {
  const { machine, rows, load, roundsAsked, scale, startedAt } = result
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const noisy = rows.reduce((sum, { noisyRounds }) => sum + noisyRounds, 0)
  return [
    ...benchmark.notes,
    `Median (range) of ${roundsAsked} interleaved rounds, measured ${startedAt.slice(0, 10)} (a ${scale} run).`,
    noisy === 0
      ? `No measurement was noisy; it is when ${noiseMeans}.`
      : `${noisy} of ${rows.length * roundsAsked} measurements were noisy (*N: N rounds of that row): ${noiseMeans}.`,
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}; load average ${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after; nothing pinned to a core. ${versions.join(', ')}.`,
  ]
}
