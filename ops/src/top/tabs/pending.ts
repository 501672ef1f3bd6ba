import { isParking } from '../../groups/held-for.ts'
import type { EntryFields } from '../../groups/pending-filter.ts'
import type { PendingScan, PendingWithFields } from '../../groups/pending-scan.ts'
import { escaped, printable, written } from '../../terminal/words.ts'
import { none, time } from './figures.ts'
import { without, type Row, type Scope, type TabRows } from './rows.ts'
import type { Column } from './table.ts'

const columns: readonly Column[] = [
  { head: 'ENTRY', rank: 0, least: 15 },
  { head: 'AGE', rank: 1, align: 'right', least: 7 },
  { head: 'HELD FOR', rank: 0, align: 'right' },
  { head: 'TIMES', rank: 0, align: 'right' },
  { head: 'CONSUMER', rank: 2 },
  { head: 'FIELDS', rank: 0 },
]

/** What is pending for a group or a consumer, the oldest first. */
export function pendingTab({ entries, scanned, total, next }: PendingScan, scope: Scope): TabRows {
  const tab: TabRows = {
    columns,
    rows: entries.map((entry) => rowOf(entry, scope)),
    empty: total === 0 ? 'Nothing is pending.' : 'Nothing that is pending fits the filter.',
    more:
      next === null ? null : `scanned ${written(scanned)} of ${written(total)}, the oldest first`,
  }
  return scope.consumer === undefined ? tab : without('CONSUMER', tab)
}

function rowOf(entry: PendingWithFields, { stream, group }: Scope): Row {
  const { id, ageMs, idleMs, deliveries, consumer, fields } = entry
  const isParked = isParking(consumer)
  return {
    key: id,
    tone: 'plain',
    cells: [
      id,
      time(ageMs),
      isParked ? 'parked' : time(idleMs),
      written(deliveries),
      printable(consumer),
      fieldsText(fields),
    ],
    values: [id, ageMs, isParked ? null : idleMs, deliveries, consumer, fieldsText(fields)],
    opens: { tab: 'pending', scope: { stream, group, consumer }, entry: id },
  }
}

export const fieldsText = (fields: EntryFields | null): string =>
  fields === null
    ? 'deleted from the stream'
    : escaped(fields.map(([name, value]) => `${name}=${value}`).join(' ')).slice(0, textMax) || none

/** More of it is never seen in a row. */
const textMax = 300
