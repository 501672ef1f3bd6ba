import type { GroupSnapshot, Snapshot, StreamSnapshot } from '../../snapshot/snapshot.ts'
import { worstFirst } from '../../snapshot/state.ts'
import { printable, written } from '../../terminal/words.ts'
import { lag, lagValue, none, rate, stateTones, time } from './figures.ts'
import type { Row, TabRows } from './rows.ts'
import type { Column } from './table.ts'

const columns: readonly Column[] = [
  { head: 'STATE', rank: 0, least: 14 },
  { head: 'GROUP', rank: 0 },
  { head: 'STREAM', rank: 1 },
  { head: 'TIME LAG', rank: 0, align: 'right' },
  { head: 'LAG', rank: 0, align: 'right', least: 7 },
  { head: 'PENDING', rank: 2, align: 'right' },
  { head: 'OLDEST', rank: 4, align: 'right' },
  { head: 'IN/S', rank: 6, align: 'right', least: 5 },
  { head: 'DONE/S', rank: 5, align: 'right' },
  { head: 'CLEAR IN', rank: 7, align: 'right' },
  { head: 'DEAD', rank: 3, align: 'right' },
  { head: 'ALIVE', rank: 5, align: 'right' },
]

export function groupsTab({ streams }: Snapshot): TabRows {
  const rows = streams
    .flatMap((stream) => stream.groups.map((group) => ({ stream, group })))
    .sort((a, b) => worstFirst(a.group, b.group))
    .map(rowOf)
  return { columns, rows, empty: 'No stream with a group.', more: null }
}

function rowOf({ stream, group }: { stream: StreamSnapshot; group: GroupSnapshot }): Row {
  const { name, state, timeLagMs, pending, oldestPending } = group
  const seconds = group.secondsToCatchUp
  const clearMs = seconds === null ? null : seconds * 1000
  return {
    key: `${stream.key} ${name}`,
    tone: stateTones[state],
    cells: [
      state,
      printable(name),
      printable(stream.key),
      time(timeLagMs),
      lag(group),
      written(pending),
      time(oldestPending === null ? null : group.oldestPendingMs),
      rate(stream.inPerSecond),
      rate(group.donePerSecond),
      clearMs === 0 ? none : time(clearMs),
      group.deadLetterStream === null ? none : written(group.deadLetters),
      aliveText(group),
    ],
    values: [
      ...[null, name, stream.key, timeLagMs, lagValue(group), pending, group.oldestPendingMs],
      ...[stream.inPerSecond, group.donePerSecond, seconds, group.deadLetters],
      group.consumerCounts.alive,
    ],
    opens: { tab: 'consumers', scope: { stream: stream.key, group: name } },
  }
}

/** Of others nobody can tell who lives. */
function aliveText({ isManaged, consumerCounts }: GroupSnapshot): string {
  const { alive, total } = consumerCounts
  return isManaged ? `${written(alive)}/${written(total)}` : `?/${written(total)}`
}
