import type { Spread } from '../measure/statistics.ts'

/** A picture of a result; `name` is its file. */
export type Chart = BarChart | LineChart

/** Horizontal bars, one per rival, on a linear scale from 0. */
export interface BarChart {
  readonly kind: 'bars'
  readonly name: string
  readonly title: string
  readonly subtitle: string
  readonly bars: readonly Bar[]
}

export interface Bar {
  readonly label: string
  readonly value: Spread
  readonly kind: Kind
}

/** Decides the colour: Millrace, its peers, or a floor that nobody can go below. */
type Kind = 'ours' | 'peer' | 'floor'

/** One or more panels side by side, each with a line per rival. */
export interface LineChart {
  readonly kind: 'lines'
  readonly name: string
  readonly title: string
  readonly subtitle: string
  readonly panels: readonly Panel[]
}

/** A panel has steps from left to right, evenly spaced, and a value of each line at each step. */
export interface Panel {
  readonly title: string
  /** Of the vertical axis. */
  readonly unit: string
  readonly steps: readonly string[]
  /** Vertical axis by factors of ten, instead of from 0. */
  readonly isLogarithmic?: boolean
  readonly lines: readonly Line[]
}

export interface Line {
  readonly label: string
  readonly isOurs: boolean
  /** Its place among ours or the peers, from 0: decides its colour. */
  readonly rank: number
  /** One for each step; undefined: not measured. */
  readonly values: readonly (Spread | undefined)[]
}
