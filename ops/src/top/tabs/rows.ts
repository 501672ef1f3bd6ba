/** What a tab shows: its columns, and its rows, the worst first. */
import type { Column, Tone } from './table.ts'

export const tabs = ['groups', 'consumers', 'pending', 'dead letters'] as const
export type Tab = (typeof tabs)[number]

/** What a tab is about: all there is, a group, or one consumer of it. */
export interface Scope {
  readonly stream: string
  readonly group: string
  readonly consumer?: string
}

/** What Enter leads to. */
export interface Opened {
  readonly tab: Tab
  readonly scope: Scope
  /** The entry or the letter that is shown with all it holds. */
  readonly entry?: string
}

export interface Row {
  /** The same row has it from one look to the next. */
  readonly key: string
  readonly cells: readonly string[]
  /** What each cell is sorted by; null stands behind everything. */
  readonly values: readonly (number | string | null)[]
  /** Of the cell with the state, which is the first. */
  readonly tone: Tone
  readonly opens: Opened | null
}

export interface TabRows {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  /** What stands in the place of rows, where there are none. */
  readonly empty: string
  /** That there are more than are shown. */
  readonly more: string | null
}

/** By which column, counted from 0; undefined: the worst first. */
export interface Sorting {
  readonly column?: number
  readonly isReversed: boolean
}

/** @param filter words that a row has to hold, all of them, in small or capital letters */
export function chosen(rows: readonly Row[], filter: string, sorting: Sorting): Row[] {
  const words = filter
    .toLowerCase()
    .split(' ')
    .filter((word) => word !== '')
  const kept = rows.filter(({ cells }) => {
    const text = cells.join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const { column, isReversed } = sorting
  const sorted =
    column === undefined
      ? kept
      : kept.toSorted((a, b) => compare(a.values[column] ?? null, b.values[column] ?? null))
  return isReversed ? sorted.toReversed() : sorted
}

/** Figures fall, texts rise: what is looked for stands above. */
function compare(a: number | string | null, b: number | string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  if (typeof a === 'number' && typeof b === 'number') return b - a
  return String(a) < String(b) ? -1 : Number(String(a) > String(b))
}

/** Leaves out a column that says the same in each row: the tab is about that alone. */
export function without(head: string, { columns, rows, ...rest }: TabRows): TabRows {
  const at = columns.findIndex((column) => column.head === head)
  const others = <Value>(values: readonly Value[]): Value[] =>
    values.filter((_, place) => place !== at)
  return {
    ...rest,
    columns: others(columns),
    rows: rows.map((row) => ({ ...row, cells: others(row.cells), values: others(row.values) })),
  }
}
