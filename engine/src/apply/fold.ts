/** The pull interpreter's half in Node: folds the entries of a batch per hash before they are sent. */
import type { Plan } from '../declare/plan.ts'
import type { Entry } from '../declare/stream.ts'
import type { Row } from '../operators/column.ts'

/** The entries of a batch, folded. */
export interface FoldedRows {
  /** Keys of the hashes, those of the first plan first. */
  readonly keys: readonly string[]
  /** For each plan the rows of its keys; a row holds the values of its columns. */
  readonly rows: readonly (readonly Row[])[]
}

/**
 * Folds entries per hash. The order of the entries does not matter.
 * @throws {TypeError} when two projections meet in one key.
 */
export function foldBatch(plans: readonly Plan[], entries: readonly Entry[]): FoldedRows {
  const keys: string[] = []
  const seen = new Set<string>()
  const rows = plans.map((plan) => {
    const byKey = new Map<string, Row>()
    for (const entry of entries) {
      const key = plan.keyOf(entry.values)
      const row = byKey.get(key)
      if (row === undefined) byKey.set(key, firstRow(plan, entry))
      else fold(plan, row, entry)
    }
    for (const key of byKey.keys()) {
      if (plans.length > 1 && seen.has(key)) throw keyCollision(key)
      seen.add(key)
      keys.push(key)
    }
    return [...byKey.values()]
  })
  return { keys, rows }
}

/** A script checks all rows before it writes any, so the second row of a key would overwrite the first. */
export function keyCollision(key: string): TypeError {
  return new TypeError(
    `Cannot apply: two projections meet in the key "${key}". Give their key templates different beginnings`,
  )
}

function firstRow({ columns }: Plan, entry: Entry): Row {
  const row: Row = []
  for (const column of columns) column.begin(row, entry)
  return row
}

function fold({ columns }: Plan, row: Row, entry: Entry): void {
  let at = 0
  for (const column of columns) {
    column.fold(row, at, entry)
    at += column.width
  }
}
