/** The pull interpreter's half in Node: folds the entries of a batch per hash before they are sent. */
import { compareIds, timeOf } from '../support/entry-id.ts'
import type { Choice, Plan } from '../declare/plan.ts'
import type { Entry } from '../declare/stream.ts'

/** The folded effects of a batch. */
export interface Effects {
  /** Keys of the hashes, those of the first plan first. */
  readonly keys: readonly string[]
  /** For each plan the rows of its keys; a row holds counters, extremes, then id and values of each choice. */
  readonly rows: readonly (readonly Row[])[]
}

type Row = (number | string)[]

/**
 * Folds entries per hash. The order of the entries does not matter.
 * @throws {TypeError} when two projections meet in one key.
 */
export function foldBatch(plans: readonly Plan[], entries: readonly Entry[]): Effects {
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

function firstRow(plan: Plan, entry: Entry): Row {
  const row: Row = []
  for (const counter of plan.counters)
    row.push(counter.of === undefined ? 1 : valueOf(entry, counter.of))
  for (const extreme of plan.extremes) row.push(valueOf(entry, extreme.of))
  for (const choice of plan.choices) pushChoice(row, choice, entry)
  return row
}

function pushChoice(row: Row, choice: Choice, entry: Entry): void {
  row.push(entry.id)
  for (const { of } of choice.fields) {
    row.push(typeof of === 'string' ? String(entry.values[of]) : timeOf(entry.id))
  }
}

function fold(plan: Plan, row: Row, entry: Entry): void {
  let at = 0
  for (const counter of plan.counters) {
    const delta = counter.of === undefined ? 1 : valueOf(entry, counter.of)
    row[at] = addExactly(row[at] ?? 0, delta)
    at += 1
  }
  for (const extreme of plan.extremes) {
    const value = valueOf(entry, extreme.of)
    const held = Number(row[at])
    row[at] = extreme.kind === 'min' ? Math.min(held, value) : Math.max(held, value)
    at += 1
  }
  for (const choice of plan.choices) {
    const order = compareIds(entry.id, String(row[at]))
    if (choice.kind === 'latest' ? order > 0 : order < 0) {
      const chosen: Row = []
      pushChoice(chosen, choice, entry)
      row.splice(at, chosen.length, ...chosen)
    }
    at += 1 + choice.fields.length
  }
}

/** Sums stay numbers while these are exact; beyond 2^53 they are decimal text. */
function addExactly(a: number | string, b: number): number | string {
  if (typeof a === 'number' && Number.isSafeInteger(a + b)) return a + b
  return String(BigInt(a) + BigInt(b))
}

function valueOf(entry: Entry, name: string): number {
  return Number(entry.values[name])
}
