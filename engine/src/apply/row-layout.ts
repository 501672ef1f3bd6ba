/**
 * Where everything stands in a row of Lua: the values of each column, the key of the hash, then what the check of each
 * column leaves for its write.
 */
import type { Plan } from '../declare/plan.ts'
import type { Column, Positions } from '../operators/column.ts'

/** A column, and where its parts stand. */
export interface PlacedColumn {
  readonly column: Column
  readonly at: Positions
}

/** Positions in a row, from 1. */
export interface RowLayout {
  readonly columns: readonly PlacedColumn[]
  /** Of the key of the hash. */
  readonly key: number
  /** Of the final value of a field that holds an integer. @throws {TypeError} for any other field. */
  readonly finalOf: (field: string) => number
}

export function rowLayout({ columns }: Plan): RowLayout {
  const key = columns.reduce((width, column) => width + column.width, 1)
  const next = { values: 1, left: key + 1, held: 1, constant: 1 }
  const placed: PlacedColumn[] = []
  const finalOf = (field: string): number => finalIn(placed, field)
  for (const column of columns) {
    placed.push({ column, at: { ...next, finalOf } })
    next.values += column.width
    next.left += column.leaves
    next.held += column.fetched.length
    next.constant += column.constant === undefined ? 0 : 1
  }
  return { columns: placed, key, finalOf }
}

function finalIn(placed: readonly PlacedColumn[], field: string): number {
  for (const { column, at } of placed) {
    const position = column.finalAt(field, at)
    if (position !== undefined) return position
  }
  throw new TypeError(`Cannot compile: no operator makes "${field}" final`) // The declaration was checked.
}
