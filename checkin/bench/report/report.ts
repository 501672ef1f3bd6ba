import type { ApplyResult } from './apply.ts'
import { cells, columns, notes } from './table.ts'

/** `docs/benchmarks.md`, written from measured results alone. */
export function renderReport(result: ApplyResult): string {
  const row = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`
  return [
    '# Benchmarks',
    '',
    'This page is written by `npm run bench -- report` from `bench-results/`; an edit by hand is lost.',
    'Measure on your own machine with `npm run bench`: the ratios travel better than the rates.',
    '',
    '## Apply: from a full stream to correct hashes',
    '',
    row(columns),
    row(columns.map(() => '---')),
    ...result.rivals.map((rival) => row(cells(rival).map(escaped))),
    '',
    ...notes(result).map((note) => `- ${escaped(note)}`),
    `- Measured ${result.startedAt.slice(0, 10)}.`,
    '',
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll(/[*|]/g, '\\$&')
}
