/** Writes the document and its pictures from measured results and the prose of `benchmarks.template.md`. */
import { readFileSync } from 'node:fs'
import { verdicts, type Verdict } from '../verdicts.ts'
import { benchmarks } from '../benchmarks/all.ts'
import type { Benchmark, Result } from '../benchmarks/benchmark.ts'
import { notesOf, tablesOf, type Table } from './sections.ts'
import { draw } from './draw.ts'

/** Files by name, relative to the folder of the document. */
export type ReportFiles = ReadonlyMap<string, string>

const template = readFileSync(new URL('./benchmarks.template.md', import.meta.url), 'utf8')

/** The document `benchmarks.md` and its charts, from the results that are there. */
export function renderReport(results: readonly Result[]): ReportFiles {
  const files = new Map<string, string>()
  // A marker alone in a paragraph is replaced; everything else is prose and stays.
  const document = template.replaceAll(/^<!-- (bars|[a-z]+) -->$/gm, (_marker, name: string) => {
    if (name === 'bars') return barsTable(results)
    const benchmark = benchmarks.find((known) => known.name === name)
    if (benchmark === undefined)
      throw new RangeError(`Cannot write the report: no benchmark "${name}"`)
    const result = results.find((known) => known.benchmark === name)
    if (result === undefined) return `Not measured yet: \`npm run bench -- ${name}\`.`
    for (const chart of benchmark.charts?.(result) ?? []) {
      files.set(chartFile(chart.name), draw(chart))
    }
    return section(benchmark, result)
  })
  files.set('benchmarks.md', document)
  return files
}

function chartFile(name: string): string {
  return `benchmarks/${name}.svg`
}

function section(benchmark: Benchmark, result: Result): string {
  const charts = benchmark.charts?.(result) ?? []
  return [
    ...charts.map(({ name, title }) => `![${title}](${chartFile(name)})`),
    ...tablesOf(benchmark, result).map(
      (table) => `**${escaped(table.title)}**\n\n${markdown(table)}`,
    ),
    notesOf(benchmark, result)
      .map((note) => `- ${escaped(note)}`)
      .join('\n'),
  ].join('\n\n')
}

function barsTable(results: readonly Result[]): string {
  const judged = verdicts(results)
  if (judged.length === 0) return 'Nothing is measured yet: `npm run bench`.'
  const mark = ({ isReached }: Verdict): string => (isReached ? 'reached' : '**missed**')
  const table = markdown({
    title: '',
    heads: ['benchmark', 'what', 'wanted', 'measured', ''],
    aligns: ['left', 'left', 'right', 'right', 'left'],
    rows: judged.map((one) => [one.benchmark, one.what, one.wanted, one.measured, mark(one)]),
  })
  const limits = judged.flatMap(({ what, limit }) =>
    limit === undefined ? [] : [`- ${escaped(`${what}: ${limit}.`)}`],
  )
  return limits.length === 0
    ? table
    : [table, '', 'What the same run says about those that were missed:', '', ...limits].join('\n')
}

function markdown({ heads, aligns, rows }: Table): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    row(heads.map(escaped)),
    row(aligns.map((align) => (align === 'left' ? '---' : '---:'))),
    ...rows.map((cells) =>
      row(cells.map((cell) => (cell.startsWith('**') ? cell : escaped(cell)))),
    ),
  ].join('\n')
}

function escaped(content: string): string {
  return content.replaceAll(/[*|]/g, '\\$&')
}
