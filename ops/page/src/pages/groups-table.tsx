/** All groups in a table; columns stay while figures change, and so do the rows while somebody points at them. */
import { useMemo, useRef, useState } from 'preact/hooks'
import { conditionOf, shapeOf } from '../../../src/console/condition.ts'
import type { GroupView, View } from '../../../src/console/wire.ts'
import { hrefOf } from '../reader/route.ts'
import { line } from '../live/use.ts'
import { SearchMark, Status } from '../parts/icons.tsx'
import { Spark } from '../parts/spark.tsx'
import { Table, type Column } from '../parts/table.tsx'
import { count, rate, span } from '../words/format.ts'
import { conditionWord, consumersText, isLate, lagText, lettersText } from '../words/say.ts'

const keyOf = ({ stream, group }: Pick<GroupView, 'stream' | 'group'>): string =>
  JSON.stringify([stream, group])

export function GroupsTable({ view, shown }: { view: View; shown: GroupView }) {
  const [filter, setFilter] = useState('')
  const { rows, isHeld, hold } = useHeldOrder(view.groups)
  const wanted = filter.trim().toLowerCase()
  const found = rows.filter(({ stream, group }) =>
    `${group} ${stream}`.toLowerCase().includes(wanted),
  )
  const columns = useMemo(() => columnsOf(view), [view])
  return (
    <section aria-labelledby="h-groups" {...hold}>
      <div class="head">
        <h2 id="h-groups">Streams and groups</h2>
        <span class="note">
          {count(view.groups.length)}, worst first{isHeld ? ', order held' : ''}
        </span>
        <span class="end">
          <label class="field hide-s">
            <SearchMark />
            <input
              type="search"
              size={18}
              placeholder="Filter"
              aria-label="Filter groups"
              value={filter}
              onInput={(event) => setFilter(event.currentTarget.value)}
            />
            <kbd>/</kbd>
          </label>
        </span>
      </div>
      {found.length === 0 ? (
        <div class="empty">
          <h3>
            Nothing matches <code>{filter}</code>
          </h3>
          <button class="btn" type="button" onClick={() => setFilter('')}>
            Clear the filter
          </button>
        </div>
      ) : (
        <Table
          label="Streams and groups"
          columns={columns}
          rows={found}
          keyOf={keyOf}
          current={keyOf(shown)}
        />
      )}
    </section>
  )
}

function columnsOf(view: View): Column<GroupView>[] {
  const inOf = new Map(view.streams.map(({ key, inPerSecond }) => [key, inPerSecond]))
  return [
    { head: 'State', class: 'w2', cell: (group) => <State group={group} atMs={view.atMs} /> },
    { head: 'Group', class: 'w2', cell: (group) => <GroupLink group={group} /> },
    {
      head: 'Stream',
      class: 'mono soft',
      cell: ({ stream }) => (
        <a class="soft" href={hrefOf('/stream', { stream })}>
          {stream}
        </a>
      ),
    },
    { head: 'Consumers', class: 'n', label: 'Consumers', cell: consumersText },
    { head: 'In/s', class: 'n hide-s', cell: ({ stream }) => rate(inOf.get(stream) ?? null) },
    {
      head: 'Done/s',
      class: 'n',
      label: 'Done/s',
      cell: ({ donePerSecond }) => rate(donePerSecond),
    },
    { head: 'Lag', class: 'n', label: 'Lag', cell: lagText },
    {
      head: 'Time lag',
      class: 'n strong lead',
      label: 'Time lag',
      cell: ({ timeLagMs }) => span(timeLagMs),
    },
    {
      head: 'Time lag, 5 min',
      class: 'hide-s fillspark',
      cell: (group) => <TimeLag group={group} />,
    },
    { head: 'Pending', class: 'n', label: 'Pending', cell: ({ pending }) => count(pending) },
    {
      head: 'Oldest',
      class: 'n',
      label: 'Oldest',
      cell: ({ pending, oldestPendingMs }) => (pending === 0 ? '—' : span(oldestPendingMs)),
    },
    {
      head: 'Dead',
      class: 'n',
      label: 'Dead',
      cell: lettersText,
    },
  ]
}

export function State({ group, atMs }: { group: GroupView; atMs: number }) {
  return <Status shape={shapeOf[conditionOf(group)]}>{conditionWord(group, atMs)}</Status>
}

function GroupLink({ group }: { group: GroupView }) {
  return (
    <>
      <a href={hrefOf('/group', { stream: group.stream, group: group.group })}>{group.group}</a>
      {!group.isManaged && (
        <>
          {' '}
          <span
            class="dim"
            title="No consumer of Millrace has worked on it: Redis alone tells of it."
          >
            foreign
          </span>
        </>
      )}
    </>
  )
}

function TimeLag({ group }: { group: GroupView }) {
  const points = line.moments.of(group).map((one) => [one[0], one[4]] as const)
  return (
    <Spark
      points={points}
      top={2000}
      width={150}
      height={20}
      tone={isLate(group) ? 'warn' : 'neutral'}
    />
  )
}

/** Rows do not move under the pointer, nor while one of them has the focus. */
function useHeldOrder(groups: readonly GroupView[]) {
  const [isHeld, setHeld] = useState(false)
  const order = useRef<readonly string[]>([])
  const known = new Map(groups.map((group) => [keyOf(group), group]))
  if (!isHeld) order.current = [...known.keys()]
  const kept = order.current.flatMap((key) => known.get(key) ?? [])
  const rows = [...kept, ...groups.filter((group) => !order.current.includes(keyOf(group)))]
  const hold = {
    onMouseEnter: () => setHeld(true),
    onMouseLeave: () => setHeld(false),
    onFocusIn: () => setHeld(true),
    onFocusOut: () => setHeld(false),
  }
  return { rows, isHeld, hold }
}
