import CliTable from 'cli-table3'
import type { Benchmark, Result } from '../benchmarks/benchmark.ts'
import { verdicts, type Verdict } from '../verdicts.ts'
import { notesOf, tablesOf } from './sections.ts'

/** A result for a terminal: tables, its bars, notes. */
export function renderTerminal(benchmark: Benchmark, result: Result): string {
  const tables = tablesOf(benchmark, result).flatMap(({ title, heads, aligns, rows }) => {
    const table = new CliTable({
      head: [...heads],
      colAligns: [...aligns],
      style: { head: [], border: [], compact: true },
    })
    table.push(...rows.map((cells) => [...cells]))
    return [title, table.toString(), '']
  })
  const judged = verdicts([result])
  return [
    '',
    benchmark.title,
    '',
    ...tables,
    ...notesOf(benchmark, result),
    ...(judged.length > 0 ? ['', ...judged.map(verdictLine)] : []),
    '',
  ].join('\n')
}

function verdictLine({ what, wanted, measured, isReached, limit }: Verdict): string {
  const reason = limit === undefined ? '' : ` (${limit})`
  return `${isReached ? 'reached' : 'missed '}  ${what}: ${measured}, wanted ${wanted}${reason}`
}
