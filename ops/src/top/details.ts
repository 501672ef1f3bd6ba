/** What the snapshot does not hold: pending entries, dead letters, and single ones of both with all that stands in them. */
import { stream as declare, text, type Millrace } from 'millrace'
import type { DeadLetter } from 'millrace/operate'
import {
  everything,
  FilterError,
  parseFilter,
  type EntryFields,
  type PendingFilter,
} from '../groups/pending-filter.ts'
import { pendingEntries, type PendingEntry } from '../groups/pending-entry.ts'
import { fieldsOf, scanPending, type PendingScan } from '../groups/pending-scan.ts'
import type { Scope } from './tabs/rows.ts'

/** What is asked for beside the snapshot. */
export type Wanted =
  | { readonly kind: 'pending'; readonly scope: Scope; readonly filter: string }
  | { readonly kind: 'letters'; readonly scope: Scope }
  | { readonly kind: 'entry'; readonly scope: Scope; readonly id: string }
  | { readonly kind: 'letter'; readonly scope: Scope; readonly id: string }

export type Detail =
  | { readonly kind: 'pending'; readonly of: Wanted; readonly scan: PendingScan }
  | { readonly kind: 'letters'; readonly of: Wanted; readonly letters: readonly DeadLetter[] }
  | {
      readonly kind: 'entry'
      readonly of: Wanted
      /** Null: it is not pending any more. */
      readonly pending: PendingEntry | null
      /** Null: the stream does not hold it any more. */
      readonly fields: EntryFields | null
    }
  /** Null: it is gone, redriven or purged. */
  | { readonly kind: 'letter'; readonly of: Wanted; readonly letter: DeadLetter | null }

/** So many rows at most are read of pending entries and of letters. */
const rowsMax = 200
/** Pending entries that are looked at for a filter, each time. */
const scanMax = 2000

/** @throws {MillraceError} when the group is gone, or the user may not look. */
export async function detailOf(millrace: Millrace, wanted: Wanted): Promise<Detail> {
  const { kind, scope } = wanted
  const { stream, group } = scope
  switch (kind) {
    case 'pending': {
      const filter = filterFor(scope, wanted.filter)
      const scan = await scanPending(millrace, scope, { filter, limit: rowsMax, scanMax })
      return { kind, of: wanted, scan }
    }
    case 'letters': {
      const { letters } = await lettersOf(millrace, scope).list({ count: rowsMax, order: 'newest' })
      return { kind, of: wanted, letters }
    }
    case 'entry': {
      const { id } = wanted
      const [[first], fields] = await Promise.all([
        pendingEntries(millrace, stream, group, { count: 1, from: id }),
        fieldsOf(millrace, stream, id),
      ])
      return { kind, of: wanted, pending: first?.id === id ? first : null, fields }
    }
    case 'letter': {
      const [letter = null] = await lettersOf(millrace, scope).find(wanted.id)
      return { kind, of: wanted, letter }
    }
    default:
      return kind satisfies never
  }
}

function lettersOf(millrace: Millrace, { stream, group }: Scope): Letters {
  return millrace.group(declare(stream, { any: text() }), group).deadLetters
}

type Letters = ReturnType<Millrace['group']>['deadLetters']

/** What is typed in the tab is the filter of `pending` as soon as it is one; until then rows are searched for its words. */
function filterFor({ consumer }: Scope, typed: string): PendingFilter {
  const filter = isFilter(typed) ? parseFilter(typed) : everything
  return consumer === undefined ? filter : { ...filter, consumer }
}

export function isFilter(typed: string): boolean {
  try {
    parseFilter(typed)
    return true
  } catch (error) {
    if (error instanceof FilterError) return false
    throw error
  }
}
