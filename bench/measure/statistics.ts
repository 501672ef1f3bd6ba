/** Median and full range of a few values of the same kind. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @throws {RangeError} when there is no value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  const min = sorted[0]
  const max = sorted.at(-1)
  if (upper === undefined || min === undefined || max === undefined) {
    throw new RangeError('Cannot summarise measurements: there are none')
  }
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper
  return { median: (lower + upper) / 2, min, max }
}

/** The least value that the given part of all values does not exceed; 1 gives the greatest. @throws {RangeError} when there is none. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)]
  if (value === undefined) throw new RangeError('Cannot give a percentile: there are no values')
  return value
}
