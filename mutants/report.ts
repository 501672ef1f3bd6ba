/** What the run prints: a line for each mutant, and a table at its end. */
import { shownChange, type Mutant } from './edit.ts'
import type { Verdict } from './trial.ts'

export interface Judged {
  readonly mutant: Mutant
  readonly verdict: Verdict
}

export function lineOf({ mutant, verdict }: Judged): string {
  const { area, file, line, operator } = mutant
  return `${verdict.kind.padEnd(10)} ${area.padEnd(6)} ${file}:${line}  ${operator}: ${shownChange(mutant)}\n${' '.repeat(11)}${reasonOf(verdict)}`
}

function reasonOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'killed':
      return `by ${verdict.file}: "${verdict.title}" (${verdict.said.slice(0, 100)})`
    case 'timed out':
      return `in ${verdict.file}`
    case 'survived':
      return verdict.files === 0
        ? 'no test file reaches it'
        : `${verdict.files} test files pass${waveredIn(verdict.wavered)}`
    case 'invalid':
      return 'it cannot be loaded'
    case 'equivalent':
      return verdict.reason
    default:
      return verdict satisfies never
  }
}

function waveredIn(tests: readonly string[]): string {
  return tests.length === 0 ? '' : `, at the second time ${tests.join(', ')}`
}

const kinds = ['killed', 'timed out', 'survived', 'equivalent', 'invalid'] as const

/** By area. The rate is what was killed, also by time, of all that could be. */
export function tableOf(judged: readonly Judged[]): string {
  const areas = [...new Set(judged.map(({ mutant }) => mutant.area))].sort()
  const rows = areas.map(
    (area) => [area, judged.filter(({ mutant }) => mutant.area === area)] as const,
  )
  const heads = ['area', 'mutants', ...kinds, 'kill rate']
  const lines = [...rows, ['all', judged] as const].map(([area, some]) => {
    const counts = kinds.map((kind) => some.filter(({ verdict }) => verdict.kind === kind).length)
    const [killed = 0, late = 0, survived = 0] = counts
    const judgedByTests = killed + late + survived
    const rate =
      judgedByTests === 0 ? '-' : `${Math.round((100 * (killed + late)) / judgedByTests)} %`
    return [area, some.length, ...counts, rate].map(String)
  })
  const widths = heads.map((head, at) =>
    Math.max(head.length, ...lines.map((line) => line[at]?.length ?? 0)),
  )
  return [heads, ...lines]
    .map((line) =>
      line
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
        )
        .join('  '),
    )
    .join('\n')
}
