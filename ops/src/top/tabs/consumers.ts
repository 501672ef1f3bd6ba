import { compareIds } from 'millrace/operate'
import type { ConsumerSnapshot, GroupSnapshot, Snapshot } from '../../snapshot/snapshot.ts'
import { worstFirst } from '../../snapshot/state.ts'
import { printable, written } from '../../terminal/words.ts'
import { isParking } from '../../groups/held-for.ts'
import { none, rate, time } from './figures.ts'
import { without, type Row, type Scope, type TabRows } from './rows.ts'
import type { Column, Tone } from './table.ts'

const columns: readonly Column[] = [
  { head: 'STATE', rank: 0, least: 15 },
  { head: 'CONSUMER', rank: 0 },
  { head: 'GROUP', rank: 3 },
  { head: 'PENDING', rank: 0, align: 'right' },
  { head: 'HELD FOR', rank: 1, align: 'right' },
  { head: 'DONE/S', rank: 2, align: 'right' },
  { head: 'IDLE', rank: 1, align: 'right', least: 7 },
  { head: 'LEASE', rank: 4, align: 'right', least: 9 },
  { head: 'HOST, PROCESS', rank: 5 },
]

interface Member {
  readonly group: GroupSnapshot
  readonly consumer: ConsumerSnapshot
}

/** The consumers of a group, or of all. */
export function consumersTab({ streams }: Snapshot, scope: Scope | null): TabRows {
  const groups = streams
    .flatMap((stream) => stream.groups)
    .filter(
      ({ stream, name }) => scope === null || (stream === scope.stream && name === scope.group),
    )
  const members = groups
    .toSorted(worstFirst)
    .flatMap((group) => group.consumers.map((consumer) => ({ group, consumer })))
    .sort((a, b) => badness(b) - badness(a) || byOldest(a.consumer, b.consumer))
  const listed = members.length
  const total = groups.reduce((sum, { consumerCounts }) => sum + consumerCounts.total, 0)
  const tab: TabRows = {
    columns,
    rows: members.map(rowOf),
    empty: scope === null ? 'No group has a consumer.' : 'The group has no consumer.',
    more: listed < total ? `${written(listed)} of ${written(total)} consumers are listed` : null,
  }
  return scope === null ? tab : without('GROUP', tab)
}

/** Gone with something in hand; gone; paused; the living. */
function badness({ consumer }: Member): number {
  const isGone = consumer.state === 'expired'
  if (isGone && consumer.pending > 0) return 4
  if (consumer.isPaused) return 3
  if (isGone) return 2
  return consumer.state === 'alive' ? 0 : 1
}

/** By what stays as it is: times that are measured a moment apart would have rows jump. */
function byOldest(a: ConsumerSnapshot, b: ConsumerSnapshot): number {
  const [held, other] = [a.oldestPending?.id, b.oldestPending?.id]
  if (held !== other) {
    if (held === undefined) return 1
    return other === undefined ? -1 : compareIds(held, other)
  }
  return a.name < b.name ? -1 : 1
}

const tones: readonly Tone[] = ['good', 'quiet', 'quiet', 'warn', 'bad']

function rowOf(member: Member): Row {
  const { group, consumer } = member
  const { name, state, isPaused, pending, oldestPending, idleMs, holder } = consumer
  const isThere = state !== 'absent'
  const scope = { stream: group.stream, group: group.name, consumer: name }
  return {
    key: `${group.stream} ${group.name} ${name}`,
    tone: tones[badness(member)] ?? 'plain',
    cells: [
      isPaused ? `${state}, paused` : state,
      printable(name),
      printable(group.name),
      written(pending),
      oldestPending === null ? none : isParking(name) ? 'parked' : time(oldestPending.idleMs),
      rate(consumer.donePerSecond),
      isThere ? time(idleMs) : none,
      leaseText(consumer.leaseLeftMs),
      holder === null ? none : `${printable(holder.host)}, ${holder.pid}`,
    ],
    values: [
      ...[state, name, group.name, pending, oldestPending?.idleMs ?? null],
      ...[consumer.donePerSecond, isThere ? idleMs : null, consumer.leaseLeftMs],
      holder === null ? null : `${holder.host} ${holder.pid}`,
    ],
    opens: { tab: 'pending', scope },
  }
}

function leaseText(leftMs: number | null): string {
  if (leftMs === null) return none
  return leftMs > 0 ? time(leftMs) : `-${time(-leftMs)}`
}
