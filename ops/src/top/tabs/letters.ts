import type { DeadLetter } from 'millrace/operate'
import { escaped, printable, written } from '../../terminal/words.ts'
import { none, time } from './figures.ts'
import { fieldsText } from './pending.ts'
import { type Row, type Scope, type TabRows } from './rows.ts'
import type { Column } from './table.ts'

const columns: readonly Column[] = [
  { head: 'REASON', rank: 0, least: 8 },
  { head: 'AGE', rank: 0, align: 'right', least: 7 },
  { head: 'ENTRY', rank: 0, least: 15 },
  { head: 'CONSUMER', rank: 1 },
  { head: 'TRIES', rank: 2, align: 'right' },
  { head: 'ERROR', rank: 0, most: 72 },
  { head: 'FIELDS', rank: 3 },
]

export interface Letters {
  readonly letters: readonly DeadLetter[]
  /** As the snapshot counts them. */
  readonly total: number
  /** Of the server's clock. */
  readonly nowMs: number
}

/** What could not be processed, the newest first. */
export function lettersTab({ letters, total, nowMs }: Letters, scope: Scope): TabRows {
  return {
    columns,
    rows: letters.map((letter) => rowOf(letter, nowMs, scope)),
    empty: 'The group has no dead letters.',
    more:
      letters.length < total
        ? `the newest ${written(letters.length)} of ${written(total)}: dead-letters list shows more`
        : null,
  }
}

function rowOf(letter: DeadLetter, nowMs: number, { stream, group }: Scope): Row {
  const { letterId, entryId, reason, error, consumer, attempts } = letter
  const ageMs = ageOf(letter, nowMs)
  const text = (of: string): string => (of === '' ? none : printable(of))
  return {
    key: letterId,
    tone: 'warn',
    cells: [
      text(reason),
      time(ageMs),
      text(entryId),
      text(consumer),
      attempts === null ? none : written(attempts),
      escaped(error).slice(0, errorMax),
      fieldsText(letter.fields),
    ],
    values: [reason, ageMs, entryId, consumer, attempts, error, fieldsText(letter.fields)],
    opens: { tab: 'dead letters', scope: { stream, group }, entry: letterId },
  }
}

const errorMax = 300

const ageOf = ({ time: at }: DeadLetter, nowMs: number): number | null =>
  Number.isFinite(at) && at > 0 ? Math.max(0, nowMs - at) : null
