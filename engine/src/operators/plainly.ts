/**
 * Folding in plain words: one entry into one hash, with integers of any size and no rows. It is what the reference asks of
 * each operator, and shares nothing with its columns, as these are held against it.
 */
import type { FoldedEntry } from './column.ts'

/** Why a hash cannot take an entry. */
export type RefusalCode = 'not-an-integer' | 'overflow' | 'not-an-id'

/** One entry on its way into one hash. */
export interface PlainStep {
  /** Field to value, as the hash was before the entry. */
  readonly before: ReadonlyMap<string, string>
  /** What the hash becomes, with what operators before this one have written. */
  readonly after: Map<string, string>
  readonly entry: FoldedEntry
}

export const int64Max: bigint = 2n ** 63n - 1n

/** A declared integer of the entry. */
export function integerIn({ values }: FoldedEntry, name: string): bigint {
  return BigInt(values[name] ?? 0)
}

/** The integer that HINCRBY would accept, 0 for a missing field; undefined for anything else. */
export function integerOf(held: string | undefined): bigint | undefined {
  if (held === undefined) return 0n
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(held)) return undefined
  const value = BigInt(held)
  return value > int64Max || value < -int64Max - 1n ? undefined : value
}
