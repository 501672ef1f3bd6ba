/** The entries of a stream by their time, page by page. */
import { useState } from 'preact/hooks'
import type { Entries } from '../../../src/console/wire.ts'
import { hrefOf, setQuery } from '../reader/route.ts'
import { usePages } from '../live/pages.ts'
import { useLive } from '../live/use.ts'
import { FieldsLine } from '../parts/fields.tsx'
import { RowLink } from '../parts/row-link.tsx'
import { Empty } from '../parts/states.tsx'
import type { Column } from '../parts/table.tsx'
import { Moment } from '../parts/time.tsx'
import { count, countOf, rate, timeOfId } from '../words/format.ts'
import { textOf } from '../reader/form.ts'
import { readPlace } from '../words/place.ts'
import { EntryList } from './entry-list.tsx'

type Row = Entries['entries'][number]

export function StreamPage({ query }: { query: URLSearchParams }) {
  const { view } = useLive()
  const key = query.get('stream')
  if (key === null) {
    return (
      <Empty isWhole title="No stream is named">
        <p>
          <a href={hrefOf('/streams')}>See all streams</a>
        </p>
      </Empty>
    )
  }
  const known = view?.streams.find((stream) => stream.key === key)
  return (
    <>
      <div class="crumbs">
        <a href={hrefOf('/streams')}>Streams</a>
        <span aria-hidden="true">/</span>
      </div>
      <div class="title">
        <h1 class="mono">{key}</h1>
      </div>
      <p class="said">
        {known === undefined
          ? 'Not among the streams with a group.'
          : `${countOf(known.length, 'entry', 'entries')}, ${rate(known.inPerSecond)}/s come.`}
      </p>
      <Browser stream={key} query={query} atMs={view?.atMs ?? 0} />
    </>
  )
}

interface BrowserProps {
  readonly stream: string
  readonly query: URLSearchParams
  readonly atMs: number
}

function Browser({ stream, query, atMs }: BrowserProps) {
  const order = query.get('order') === 'oldest' ? 'oldest' : 'newest'
  const chosen = query.get('entry') ?? undefined
  const ends = { from: query.get('from') ?? undefined, to: query.get('to') ?? undefined }
  const wanted = { stream, order, ...ends, count: 100 }
  const paged = usePages<Entries>('entries', wanted, 'after')
  const rows = paged.pages.flatMap(({ entries }) => entries)
  return (
    <section aria-label="Entries">
      <RangeForm {...ends} order={order} />
      <EntryList
        {...{ what: 'entries', stream, paged, rows, columns, chosen, atMs }}
        empty={<NoEntries />}
        foot={
          <span>
            {count(rows.length)} loaded{paged.more !== undefined && ', there are more'}
          </span>
        }
      />
    </section>
  )
}

function NoEntries() {
  return (
    <Empty title="No entries here">
      <p>The stream holds none in this range.</p>
      <button class="btn" type="button" onClick={() => setQuery({ from: '', to: '' })}>
        Show all
      </button>
    </Empty>
  )
}

const columns: Column<Row>[] = [
  {
    head: 'Entry id',
    class: 'mono w2',
    cell: ({ id }) => <RowLink name="entry" value={id} />,
  },
  { head: 'Appended', class: 'w', cell: ({ id }) => <Appended id={id} /> },
  { head: 'Fields', class: 'cut mono w', cell: ({ fields }) => <FieldsLine fields={fields} /> },
]

function Appended({ id }: { id: string }) {
  const ms = timeOfId(id)
  return ms === null ? <span class="dim">its id tells no time</span> : <Moment ms={ms} />
}

interface RangeProps {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly order: 'oldest' | 'newest'
}

function RangeForm({ from = '', to = '', order }: RangeProps) {
  const [wrong, setWrong] = useState('')
  const submit = (event: Event): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const places = ['from', 'to'].map((name) => readPlace(textOf(form, name)))
    const bad = places.find((place) => place.kind === 'wrong')
    setWrong(bad?.kind === 'wrong' ? bad.why : '')
    if (bad !== undefined) return
    const [first, last] = places.map((place) => (place.kind === 'place' ? place.value : ''))
    setQuery({ from: first, to: last, entry: undefined })
  }
  return (
    <form class="filter" onSubmit={submit}>
      <label class="field">
        From
        <input class="when" name="from" type="text" defaultValue={from} placeholder="the first" />
      </label>
      <label class="field">
        to
        <input class="when" name="to" type="text" defaultValue={to} placeholder="the last" />
      </label>
      <button class="btn" type="submit">
        Show
      </button>
      <div class="seg" role="group" aria-label="Order">
        {(['newest', 'oldest'] as const).map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === order}
            onClick={() => setQuery({ order: one, entry: undefined })}
          >
            {one} first
          </button>
        ))}
      </div>
      <span class="why" role="status">
        {wrong === '' ? 'An id, or a time like 2026-11-28 14:30 UTC.' : wrong}
      </span>
    </form>
  )
}
