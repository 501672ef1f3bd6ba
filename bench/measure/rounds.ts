/** Runs every case of a benchmark once per round, so that a slow minute of the machine hits all of them alike. */
import { isNoisy, type Disturbance } from './disturbance.ts'
import { spreadOf, type Spread } from './statistics.ts'

/** What one measurement of one case told. */
export interface Measured<Figure extends string = string> extends Disturbance {
  readonly figures: Readonly<Record<Figure, number>>
}

/** One row of a table: who is measured, under which conditions. */
export interface CaseFacts {
  /** Who: the name of a rival. */
  readonly rival: string
  readonly label: string
  readonly isOurs: boolean
  /** Under which conditions, as the heading of a table. */
  readonly group: string
  /** What is set and not measured, by name: consumers, check-ins, append-only file. */
  readonly facts: Readonly<Record<string, string | number>>
}

export interface Case extends CaseFacts {
  readonly measure: () => Promise<Measured>
}

/** All rounds of one case. */
export interface Row extends CaseFacts {
  readonly figures: Readonly<Record<string, Spread>>
  /** How many of the rounds were disturbed by something else on the machine. */
  readonly noisyRounds: number
  readonly rounds: readonly Measured[]
}

export interface RoundsOptions {
  readonly rounds: number
  /** Whether the cases of a round may run at the same time: only where they cost next to nothing. */
  readonly isSideBySide?: boolean
  /** Told of each measurement. */
  readonly measured: (round: number, facts: CaseFacts, measured: Measured) => void
}

/** @throws {Error} as soon as a case fails or leaves a wrong result. */
export async function runRounds(
  cases: readonly Case[],
  { rounds, isSideBySide = false, measured }: RoundsOptions,
): Promise<Row[]> {
  const all = new Map<Case, Measured[]>(cases.map((one) => [one, []]))
  const measure = async (round: number, one: Case): Promise<void> => {
    const measurement = await one.measure()
    all.get(one)?.push(measurement)
    measured(round, one, measurement)
  }
  for (let round = 1; round <= rounds; round++) {
    if (isSideBySide) await Promise.all(cases.map((one) => measure(round, one)))
    else for (const one of cases) await measure(round, one)
  }
  return [...all].map(([one, measurements]) => rowOf(one, measurements))
}

function rowOf(one: Case, rounds: readonly Measured[]): Row {
  const { rival, label, isOurs, group, facts } = one
  const names = Object.keys(rounds[0]?.figures ?? {})
  const spread = (name: string): Spread =>
    spreadOf(rounds.map(({ figures }) => figures[name] ?? Number.NaN))
  return {
    rival,
    label,
    isOurs,
    group,
    facts,
    figures: Object.fromEntries(names.map((name) => [name, spread(name)])),
    noisyRounds: rounds.filter((round) => isNoisy(round)).length,
    rounds,
  }
}

/** A figure of one row divided by that of another, or by another one, round by round. Undefined when one of them was not measured. */
export function ratioOf(
  row: Row | undefined,
  base: Row | undefined,
  figure: string,
  baseFigure = figure,
): Spread | undefined {
  if (row === undefined || base === undefined) return undefined
  const ratios = row.rounds.flatMap(({ figures }, round) => {
    const [value, other] = [figures[figure], base.rounds[round]?.figures[baseFigure]]
    return value === undefined || other === undefined ? [] : [value / other]
  })
  return ratios.length === 0 ? undefined : spreadOf(ratios)
}
