import type { Machine } from '../measure/machine.ts'
import type { Case, Row } from '../measure/rounds.ts'
import type { Chart } from '../report/chart.ts'

/** How much is measured: `full` for the document, `short` in a few minutes, `tiny` only to see that the code works. */
export type Scale = 'full' | 'short' | 'tiny'

/** What is asked of a run. */
export interface Plan {
  readonly scale: Scale
  /** Rounds, in each of which every case runs once. */
  readonly rounds: number
}

/** What `bench-results/NAME.json` holds. */
export interface Result {
  readonly benchmark: string
  readonly scale: Scale
  readonly roundsAsked: number
  /** ISO 8601. */
  readonly startedAt: string
  readonly machine: Machine
  /** Load average of the last minute, before the first round and after the last. */
  readonly load: readonly [before: number, after: number]
  readonly rows: readonly Row[]
}

/** A column of a benchmark's tables. */
export interface Column {
  readonly head: string
  readonly align?: 'left'
  readonly cell: (row: Row) => string
}

/** A benchmark: what it measures, and how its result is shown. The runner and the report know nothing more of it. */
export interface Benchmark {
  /** As it is called on the command line, and its file in the results. */
  readonly name: string
  readonly title: string
  /** What one run of this scale measures, in the order of the tables. */
  readonly cases: (plan: Plan) => Promise<readonly Case[]>
  /** The cases of a round may run at the same time: they cost next to nothing. Default: one after the other. */
  readonly isSideBySide?: boolean
  /** One measurement in a few words, for the progress lines. */
  readonly headline: (figures: Readonly<Record<string, number>>) => string
  readonly columns: readonly Column[]
  /** Which figure is compared between ours and the peers, within each group. Default: there is no such table. */
  readonly compared?: string
  /** What a reader must know to read the numbers: one sentence each. */
  readonly notes: readonly string[]
  readonly charts?: (result: Result) => readonly Chart[]
}
