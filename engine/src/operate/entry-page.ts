/** Reads a part of a stream. Promise: one call holds the server for a few milliseconds, however large its entries are. */
import {
  checkOptions,
  checkValue,
  entryId,
  integerFrom,
  nonEmpty,
  oneOf,
  placeId,
  required,
  type Rules,
} from '../support/option-values.ts'
import type { Connection } from '../redis/connection.ts'
import { readRange } from '../scripts/reading.ts'

export interface EntryPageOptions {
  /** Which come first, default `oldest`. */
  readonly order?: 'oldest' | 'newest'
  /** The oldest entry, by its id or its time (ms); default: the first of the stream. */
  readonly from?: string | undefined
  /** The newest entry, likewise, inclusive; default: the last of the stream. */
  readonly to?: string | undefined
  /** Goes on after this entry: the `next` of the page before. */
  readonly after?: string | undefined
  /** Entries at most, 1 to 1,000, default 100. Half a megabyte of them at most, but for one that is larger. */
  readonly count?: number
}

export interface EntryPage {
  readonly entries: readonly {
    readonly id: string
    /** Names and values in turn. */
    readonly flat: readonly string[]
  }[]
  /** For `after` of the next page; null when there is none. Where the bytes ended this page, the next one may be empty. */
  readonly next: string | null
}

const rules: Rules<EntryPageOptions> = {
  order: oneOf('oldest', 'newest'),
  from: placeId,
  to: placeId,
  after: entryId,
  count: integerFrom(1, 1000),
}

/** Use {@link Millrace.entryPage}. */
export async function entryPage(
  connection: Pick<Connection, 'send'>,
  key: string,
  options: EntryPageOptions,
): Promise<EntryPage> {
  checkValue('read a page', 'key', key, required(nonEmpty))
  checkOptions(`read a page of "${key}"`, options, rules)
  const { order = 'oldest', count = 100 } = options
  // One more than asked for says that there is a next page.
  const action = `Cannot read the entries of "${key}"`
  const range = { order, ...endsOf(options), most: count + 1, action }
  const read = await readRange(connection, key, range)
  const entries = read.entries.slice(0, count).map(({ id, flat }) => ({ id, flat: flat ?? [] }))
  const isLast = read.isEnd && read.entries.length <= count
  return { entries, next: isLast ? null : (entries.at(-1)?.id ?? null) }
}

/** Where the page begins and where it ends at the latest. */
function endsOf({ order, from, to, after }: EntryPageOptions): { first: string; last: string } {
  const ends = [from ?? '-', to ?? '+']
  const [first = '', last = ''] = order === 'newest' ? ends.reverse() : ends
  return { first: after === undefined ? first : `(${after}`, last }
}
