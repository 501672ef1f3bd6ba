import { bars, type Find } from './bars.ts'
import type { Result } from './benchmarks/benchmark.ts'
import { short } from './report/format.ts'

/** A bar and what was measured. */
export interface Verdict {
  readonly benchmark: string
  readonly what: string
  readonly wanted: string
  readonly measured: string
  readonly isReached: boolean
  /** For a bar that was missed: what the same run says about whether it can be reached on this machine. */
  readonly limit?: string
}

/** Judges, by the medians of the results that are there, every bar that they say something about. */
export function verdicts(results: readonly Result[]): Verdict[] {
  return bars.flatMap(({ benchmark, what, unit, least, most, value, limit }) => {
    const find = findIn(results.find((result) => result.benchmark === benchmark))
    const measured = value(find)
    if (measured === undefined || Number.isNaN(measured)) return []
    const isReached = measured >= (least ?? -Infinity) && measured <= (most ?? Infinity)
    const reason = isReached ? undefined : limit?.(find)
    const direction = least === undefined ? 'at most' : 'at least'
    return [
      {
        benchmark,
        what,
        wanted: `${direction} ${short(least ?? most ?? 0)} ${unit}`,
        measured: `${short(measured)} ${unit}`,
        isReached,
        ...(reason !== undefined && { limit: reason }),
      },
    ]
  })
}

function findIn(result: Result | undefined): Find {
  const all: Find['all'] = (rival, group) =>
    result?.rows.filter((row) => row.rival === rival && row.group === group) ?? []
  return { all, row: (rival, group) => all(rival, group)[0] }
}
