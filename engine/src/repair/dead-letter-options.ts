/** What the calls about dead letters are given, and what becomes of each letter. */
import {
  callback,
  checkOptions,
  entryId,
  integerFrom,
  listOf,
  numberFrom,
  oneOf,
  signal,
  text,
  type Rule,
  type Rules,
} from '../support/option-values.ts'
import type { RedriveAnswer } from '../scripts/dead-letters.ts'

/** Which dead letters: some by id, or all that are there at the moment of the call. */
export type DeadLetterSelection =
  /** Ids of letters or of entries. */
  | { readonly ids: readonly string[] }
  | {
      readonly all: true
      /** Only letters with this reason. */
      readonly reason?: string
      /** Only letters that are at least so old, in milliseconds by the server's clock. */
      readonly olderThanMs?: number
    }

/**
 * What became of a selected dead letter.
 *
 * - `redriven`: its entry is pending again, the letter is deleted. `purged`: the letter is deleted.
 * - `gone`: no letter has this id, or somebody else was quicker.
 * - `ambiguous`: more than one letter has this id, as its own or as that of its entry. They stay: use their other ids.
 * - `body-gone`: the stream does not hold the entry any more. The letter stays.
 * - `mismatch`: the stream holds another entry under the id: it was made anew. The letter stays.
 * - `undelivered`: the group was moved back and has yet to deliver the entry. The letter stays.
 * - `older`: the group was made anew since. The letter stays.
 */
export type RedriveOutcome = RedriveAnswer | 'ambiguous'
export type PurgeOutcome = 'purged' | 'gone' | 'ambiguous'

export interface SettleOptions<Outcome> {
  /** Told for each letter. `id`: of the letter; for `gone` and `ambiguous` what was asked for. */
  readonly onOutcome?: (id: string, outcome: Outcome) => void
  /** When it aborts, the rest stays as it is. */
  readonly signal?: AbortSignal
}

export interface RedriveOptions extends SettleOptions<RedriveOutcome> {
  /** Letters a second at most; default: as fast as the server goes. */
  readonly ratePerSecond?: number
}

export interface DeadLetterListOptions {
  /** Which come first, default `newest`. */
  readonly order?: 'newest' | 'oldest'
  /** Goes on after this letter: the `next` of the page before. Default: begins with the first. */
  readonly from?: string
  /** Letters at most, 1 to 10,000, default 100. A page of large ones ends with 16 MB. */
  readonly count?: number
  /** Only letters with this reason. */
  readonly reason?: string
}

export const listOptions: Rules<DeadLetterListOptions> = {
  order: oneOf('newest', 'oldest'),
  from: entryId,
  count: integerFrom(1, 10_000),
  reason: text,
}
export const settleOptions: Rules<SettleOptions<unknown>> = { onOutcome: callback, signal }
export const redriveOptions: Rules<RedriveOptions> = {
  ...settleOptions,
  // With a smaller one the timer between two letters would be longer than there is, and fire at once.
  ratePerSecond: numberFrom(0.000001, Infinity),
}

export const idList: Rule = listOf(entryId)
const selectionRules = {
  ids: idList,
  all: oneOf(true),
  reason: text,
  olderThanMs: numberFrom(0, Infinity),
} as const

/** A selection, checked; without ids it is all that the other two say. */
interface Selected {
  readonly ids?: readonly string[]
  readonly reason?: string
  readonly olderThanMs?: number
}

/**
 * Nothing said is not all of them.
 * @throws {TypeError} when it is not said which, or said twice; {TypeError} or {RangeError} naming what cannot be used.
 */
export function selected(selection: DeadLetterSelection): Selected {
  const action = 'select dead letters'
  checkOptions(action, selection, selectionRules)
  const given: Selected & { readonly all?: true } = selection
  if (given.ids === undefined) {
    if (given.all === true) return given
    throw new TypeError(`Cannot ${action}: which ones is not said. Give ids, or all: true`)
  }
  const other = (['all', 'reason', 'olderThanMs'] as const).find(
    (name) => given[name] !== undefined,
  )
  if (other === undefined) return given
  throw new TypeError(`Cannot ${action}: ids and ${other} contradict. Give ids, or all: true`)
}
