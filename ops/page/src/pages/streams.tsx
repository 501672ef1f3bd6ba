/** All streams that have a group. */
import type { StreamSnapshot } from '../../../src/console/wire.ts'
import { hrefOf } from '../reader/route.ts'
import { useLive } from '../live/use.ts'
import { Empty, Loading } from '../parts/states.tsx'
import { Table, type Column } from '../parts/table.tsx'
import { Moment } from '../parts/time.tsx'
import { count, countOf, rate, timeOfId } from '../words/format.ts'

type Row = Omit<StreamSnapshot, 'groups'>

export function Streams() {
  const { view } = useLive()
  if (view === undefined) return <Loading what="streams" />
  const { keys, isComplete, withoutGroup } = view.looked
  const far = isComplete ? `all ${countOf(keys, 'key')}` : `a part of ${countOf(keys, 'key')}`
  return (
    <>
      <div class="title">
        <h1>Streams</h1>
      </div>
      <p class="said">
        {countOf(view.streams.length, 'stream')} with a group, {count(withoutGroup)} without; looked
        at {far}.
      </p>
      <section aria-label="Streams">
        {view.streams.length === 0 ? (
          <Empty title="No stream with a group">
            <p>A stream appears here as soon as it has a group.</p>
          </Empty>
        ) : (
          <Table
            label="Streams"
            columns={columnsOf(view.groups.map(({ stream }) => stream))}
            rows={view.streams}
            keyOf={({ key }) => key}
          />
        )}
      </section>
    </>
  )
}

function columnsOf(groups: readonly string[]): Column<Row>[] {
  return [
    {
      head: 'Stream',
      class: 'mono w2',
      cell: ({ key }) => <a href={hrefOf('/stream', { stream: key })}>{key}</a>,
    },
    { head: 'In/s', class: 'n lead', label: 'In/s', cell: ({ inPerSecond }) => rate(inPerSecond) },
    { head: 'Entries', class: 'n', label: 'Entries', cell: ({ length }) => count(length) },
    {
      head: 'Groups',
      class: 'n',
      label: 'Groups',
      cell: ({ key }) => count(groups.filter((stream) => stream === key).length),
    },
    {
      head: 'Ever appended',
      class: 'n',
      label: 'Appended',
      cell: ({ entriesAdded }) => count(entriesAdded),
    },
    {
      head: 'First entry',
      class: 'hide-s',
      cell: ({ firstEntryId }) => <Since id={firstEntryId} />,
    },
    {
      head: 'Last entry',
      class: 'hide-s fill',
      cell: ({ lastEntryId }) => <Since id={lastEntryId} />,
    },
  ]
}

function Since({ id }: { id: string | null }) {
  const ms = id === null ? null : timeOfId(id)
  if (ms === null) return <span class="mono dim">{id ?? 'none'}</span>
  return <Moment ms={ms} />
}
