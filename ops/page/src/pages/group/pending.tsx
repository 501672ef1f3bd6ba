/** What is delivered and not acknowledged, with what stands in it. */
import { useMemo, useState } from 'preact/hooks'
import type { PendingPage } from '../../../../src/console/wire.ts'
import { setQuery } from '../../reader/route.ts'
import { usePages } from '../../live/pages.ts'
import { useLive } from '../../live/use.ts'
import { FieldsLine } from '../../parts/fields.tsx'
import { SearchMark } from '../../parts/icons.tsx'
import { RowLink } from '../../parts/row-link.tsx'
import { Empty } from '../../parts/states.tsx'
import type { Column } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { count, countOf, span, timeOfId } from '../../words/format.ts'
import { readTerms } from '../../words/terms.ts'
import { EntryList } from '../entry-list.tsx'
import { GroupFrame, type OfGroup } from './group-frame.tsx'

type Row = PendingPage['entries'][number]

export function Pending({ query }: { query: URLSearchParams }) {
  return (
    <GroupFrame query={query} tab="/group/pending" say={sentence}>
      {(of) => (
        <PendingList {...of} text={query.get('q') ?? ''} chosen={query.get('entry') ?? undefined} />
      )}
    </GroupFrame>
  )
}

function sentence({ group: { pending, oldestPendingMs, gone } }: OfGroup): string {
  if (pending === 0) return 'Nothing is pending.'
  const oldest = oldestPendingMs === null ? '' : `, the oldest for ${span(oldestPendingMs)}`
  const lost =
    gone === null
      ? ''
      : `; ${count(gone.pending)} of them belong to ${gone.worst.name}${gone.consumers > 1 ? ' and others' : ''}, which ${gone.consumers > 1 ? 'are' : 'is'} gone`
  return `${count(pending)} pending${oldest}${lost}.`
}

interface ListProps extends OfGroup {
  readonly text: string
  readonly chosen: string | undefined
}

function PendingList({ group, atMs, text, chosen }: ListProps) {
  const { stream, group: name } = group
  const { unknown, ...terms } = readTerms(text)
  const wanted = { stream, group: name, count: 100, ...terms }
  const paged = usePages<PendingPage>('pending', wanted, 'from')
  const rows = paged.pages.flatMap(({ entries }) => entries)
  const columns = useMemo(() => columnsOf(atMs), [atMs])
  const isFiltered = text.trim() !== ''
  const total = isFiltered ? rows.length : Math.max(group.pending, rows.length)
  return (
    <>
      <Filter text={text} />
      <Views group={group} text={text} />
      {unknown.length > 0 && <NotKnown terms={unknown} />}
      <div class="bulk" role="status">
        <span>{loadedText(rows.length, paged.more !== undefined, group.pending, isFiltered)}</span>
        <span class="grow" />
        <button class="btn" type="button" onClick={paged.again}>
          Read again
        </button>
      </div>
      <EntryList
        {...{ what: 'pending entries', stream, paged, rows, columns, total, chosen, atMs }}
        empty={<Nothing text={text} pending={group.pending} />}
        foot={<Foot loaded={rows.length} />}
      />
    </>
  )
}

function NotKnown({ terms }: { terms: readonly string[] }) {
  return (
    <p class="why" role="status">
      Not known: <code>{terms.join(' ')}</code>. Terms are <code>consumer:NAME</code> and{' '}
      <code>idle:&gt;30s</code>.
    </p>
  )
}

function Foot({ loaded }: { loaded: number }) {
  return (
    <>
      <span>{count(loaded)} loaded</span>
      <span class="hide-s">
        <kbd>j</kbd> <kbd>k</kbd> row
      </span>
      <span class="hide-s">
        <kbd>Esc</kbd> close
      </span>
      <span>Looking changes nothing: no entry is claimed.</span>
    </>
  )
}

function loadedText(loaded: number, hasMore: boolean, pending: number, isFiltered: boolean) {
  if (!isFiltered) return <b class="strong">{countOf(pending, 'entry', 'entries')}</b>
  return (
    <>
      <b class="strong">{hasMore ? `${count(loaded)} or more` : count(loaded)}</b> match{' '}
      <span class="dim">of {count(pending)}</span>
    </>
  )
}

function columnsOf(atMs: number): Column<Row>[] {
  return [
    {
      head: 'Entry id',
      class: 'mono w2',
      cell: ({ id }) => <RowLink name="entry" value={id} />,
    },
    { head: 'Age', class: 'n lead', label: 'Age', cell: ({ id }) => <Age id={id} atMs={atMs} /> },
    { head: 'Consumer', label: 'Consumer', cell: ({ consumer }) => consumer },
    { head: 'Held for', class: 'n', label: 'Held for', cell: ({ idleMs }) => span(idleMs) },
    {
      head: 'Deliveries',
      class: 'n',
      label: 'Deliveries',
      cell: ({ deliveries }) => count(deliveries),
    },
    { head: 'Fields', class: 'cut mono w', cell: ({ fields }) => <FieldsLine fields={fields} /> },
  ]
}

function Age({ id, atMs }: { id: string; atMs: number }) {
  const ms = timeOfId(id)
  return ms === null ? <>—</> : <Time ms={ms}>{span(Math.max(0, atMs - ms))}</Time>
}

function Filter({ text }: { text: string }) {
  const [typed, setTyped] = useState(text)
  const [given, setGiven] = useState(text)
  if (given !== text) {
    setGiven(text)
    setTyped(text)
  }
  const submit = (event: Event): void => {
    event.preventDefault()
    setQuery({ q: typed.trim(), entry: undefined })
  }
  return (
    <form class="filter" role="search" onSubmit={submit}>
      <label class="field q">
        <SearchMark />
        <span class="vh">Filter</span>
        <input
          type="text"
          value={typed}
          spellcheck={false}
          placeholder="consumer:NAME idle:>30s"
          aria-describedby="q-help"
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <kbd class="hide-s">/</kbd>
      </label>
      <button class="btn" type="submit">
        Filter
      </button>
      <span class="vh" id="q-help">
        Terms: consumer, and idle, the time since the last delivery.
      </span>
    </form>
  )
}

/** Filters that one often wants. */
function Views({ group, text }: { group: OfGroup['group']; text: string }) {
  const views = [
    { label: `All ${count(group.pending)}`, q: '' },
    ...(group.gone === null
      ? []
      : [
          {
            label: `Of ${group.gone.worst.name}, which is gone ${count(group.gone.worst.pending)}`,
            q: `consumer:${group.gone.worst.name}`,
          },
        ]),
    { label: 'Held over 10 s', q: 'idle:>10s' },
    { label: 'Held over 1 min', q: 'idle:>1m' },
  ]
  return (
    <div class="views">
      {views.map(({ label, q }) => (
        <button
          key={q}
          type="button"
          class="chip"
          aria-pressed={q === text}
          onClick={() => setQuery({ q, entry: undefined })}
        >
          {label}
        </button>
      ))}
    </div>
  )
}

function Nothing({ text, pending }: { text: string; pending: number }) {
  const { view } = useLive()
  if (text.trim() === '') {
    return (
      <Empty title="Nothing is pending">
        <p>Every entry that was delivered is acknowledged. What is being processed appears here.</p>
      </Empty>
    )
  }
  return (
    <Empty
      title={
        <>
          Nothing matches <code>{text}</code>
        </>
      }
    >
      <p>
        {view === undefined ? '' : `${countOf(pending, 'entry is', 'entries are')} pending in all.`}
      </p>
      <button class="btn" type="button" onClick={() => setQuery({ q: '' })}>
        Clear the filter
      </button>
    </Empty>
  )
}
