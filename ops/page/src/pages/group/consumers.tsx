/** The consumers of a group, and the group's own figures. */
import { useMemo } from 'preact/hooks'
import type { ConsumerSnapshot, StreamSnapshot } from '../../../../src/console/wire.ts'
import { hrefOf } from '../../reader/route.ts'
import { useLive } from '../../live/use.ts'
import { Status } from '../../parts/icons.tsx'
import { Empty, Loading } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { Moment, Time } from '../../parts/time.tsx'
import { consumerShape, consumerWord, worstConsumersFirst } from '../../words/consumers.ts'
import { ago, count, rate, span, timeOfId } from '../../words/format.ts'
import { GroupFigures } from '../figures.tsx'
import { GroupFrame, type OfGroup } from './group-frame.tsx'

export function Consumers({ query }: { query: URLSearchParams }) {
  return (
    <GroupFrame query={query} tab="/group">
      {(of) => (
        <>
          <GroupFigures group={of.group} />
          <ConsumerTable {...of} />
          <Facts {...of} />
        </>
      )}
    </GroupFrame>
  )
}

function ConsumerTable({ group, atMs }: OfGroup) {
  const { view } = useLive()
  const { focus = null } = view ?? {}
  const isFocus = focus?.stream === group.stream && focus.group === group.group
  const hasRates = focus?.consumers.some(({ donePerSecond }) => donePerSecond !== null) ?? false
  const columns = useMemo(() => columnsOf({ group, atMs }, hasRates), [group, atMs, hasRates])
  if (!isFocus) return <Loading what="consumers" />
  const rows = [...focus.consumers].sort(worstConsumersFirst)
  return (
    <section aria-labelledby="h-con">
      <div class="head">
        <h2 id="h-con">Consumers</h2>
        <span class="note">{count(group.consumerCounts.total)}, worst first</span>
      </div>
      {rows.length === 0 ? (
        <Empty title="No consumer">
          <p>
            Nobody has read from this group yet, or all were removed. A consumer appears with its
            first read.
          </p>
        </Empty>
      ) : (
        <Table label="Consumers" columns={columns} rows={rows} keyOf={({ name }) => name} />
      )}
      {group.consumerCounts.total > rows.length && rows.length > 0 && (
        <p class="why after">
          {count(rows.length)} of {count(group.consumerCounts.total)} are listed: the rest is
          counted only.
        </p>
      )}
    </section>
  )
}

const done: Column<ConsumerSnapshot> = {
  head: 'Done/s',
  class: 'n',
  label: 'Done/s',
  cell: ({ donePerSecond }) => rate(donePerSecond),
}

function columnsOf({ group, atMs }: OfGroup, hasRates: boolean): Column<ConsumerSnapshot>[] {
  const { stream, group: name } = group
  return [
    {
      head: 'State',
      class: 'w2',
      cell: (consumer) => (
        <Status shape={consumerShape(consumer, group)}>{consumerWord(consumer, group)}</Status>
      ),
    },
    {
      head: 'Consumer',
      class: 'w2',
      cell: (consumer) => (
        <a href={hrefOf('/group/pending', { stream, group: name, q: `consumer:${consumer.name}` })}>
          {consumer.name}
        </a>
      ),
    },
    { head: 'Host, pid', class: 'soft', cell: Holder },
    ...(hasRates ? [done] : []),
    { head: 'Pending', class: 'n strong', label: 'Pending', cell: ({ pending }) => count(pending) },
    {
      head: 'Oldest',
      class: 'n',
      label: 'Oldest',
      cell: ({ oldestPending }) => <HeldSince id={oldestPending?.id ?? null} atMs={atMs} />,
    },
    {
      head: 'Seen',
      class: 'n hide-s',
      cell: ({ idleMs }) => <Time ms={atMs - idleMs}>{ago(idleMs)}</Time>,
    },
    {
      head: 'Lease',
      class: 'fill soft hide-s',
      cell: ({ leaseLeftMs, state }) => leaseText(leaseLeftMs, state),
    },
  ]
}

function Holder({ holder }: ConsumerSnapshot) {
  if (holder === null) return <span class="dim">—</span>
  return (
    <>
      {holder.host} <span class="dim">{String(holder.pid)}</span>
    </>
  )
}

function HeldSince({ id, atMs }: { id: string | null; atMs: number }) {
  const ms = id === null ? null : timeOfId(id)
  if (ms === null) return <>—</>
  return <Time ms={ms}>{span(Math.max(0, atMs - ms))}</Time>
}

function leaseText(leftMs: number | null, state: ConsumerSnapshot['state']): string {
  if (leftMs === null) return 'none'
  if (state === 'expired') return `ran out ${span(-leftMs)} ago; the living take what it holds`
  return `runs ${span(leftMs)} more`
}

function Facts({ group, atMs }: OfGroup) {
  const { view } = useLive()
  const stream = view?.streams.find(({ key }) => key === group.stream)
  const deliveredAt = timeOfId(group.lastDeliveredId)
  return (
    <section aria-labelledby="h-facts">
      <div class="head">
        <h2 id="h-facts">Group</h2>
      </div>
      <dl class="facts">
        <Fact label="Last delivered" isMono>
          {group.lastDeliveredId}
        </Fact>
        <Fact label="Appended at">{deliveredAt === null ? '—' : <Moment ms={deliveredAt} />}</Fact>
        <Fact label="Entries read">{count(group.entriesRead)}</Fact>
        <Fact label="Entries in stream">{count(stream?.length ?? null)}</Fact>
        <Fact label="Done since the ledger began">{count(group.doneTotal)}</Fact>
        <Fact label="Trim headroom">{headroomText(stream?.trimHeadroom ?? null)}</Fact>
        <Fact label="Paused">
          {group.pause === null ? 'no' : `for ${span(atMs - group.pause.since)}`}
        </Fact>
        <Fact label="Worked on by">{group.isManaged ? 'consumers of Millrace' : 'others'}</Fact>
      </dl>
    </section>
  )
}

function Fact({ label, isMono = false, children }: FactProps) {
  return (
    <div>
      <dt>{label}</dt>
      <dd class={isMono ? 'mono' : ''}>{children}</dd>
    </div>
  )
}

interface FactProps {
  readonly label: string
  readonly isMono?: boolean
  readonly children: preact.ComponentChildren
}

function headroomText(room: StreamSnapshot['trimHeadroom']): string {
  if (room === null) return 'nothing trims it'
  const { entries, isExact, seconds } = room
  const size = `${isExact ? '' : '≥ '}${count(entries)} entries`
  return seconds === null ? size : `${size}, ${span(seconds * 1000)}`
}
