/** What could not be processed: by reason, then one by one. */
import type { LetterPage, ReasonGroup, Reasons, ShownLetter } from '../../../../src/console/wire.ts'
import { useKeys } from '../../reader/keys.ts'
import { hrefOf, setQuery } from '../../reader/route.ts'
import { base, queryText } from '../../live/api.ts'
import { usePages } from '../../live/pages.ts'
import { useAnswer } from '../../live/use.ts'
import { FieldsLine } from '../../parts/fields.tsx'
import { RowLink } from '../../parts/row-link.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { ago, count, countOf } from '../../words/format.ts'
import { GroupFrame, type OfGroup } from './group-frame.tsx'
import { LetterDrawer } from './letter-drawer.tsx'

export function DeadLetters({ query }: { query: URLSearchParams }) {
  return (
    <GroupFrame query={query} tab="/group/dead-letters" say={sentence} end={exportLink}>
      {(of) => (of.group.deadLetters === 0 ? <None {...of} /> : <Letters {...of} query={query} />)}
    </GroupFrame>
  )
}

const sentence = ({ group: { deadLetters } }: OfGroup): string =>
  deadLetters === 0
    ? 'No dead letters.'
    : `${countOf(deadLetters, 'dead letter')}: what they are about has no effect until somebody decides.`

function exportLink({ group: { stream, group, deadLetters } }: OfGroup) {
  if (deadLetters === 0) return null
  return (
    <a
      class="btn"
      download=""
      href={`${base}/api/dead-letters/export${queryText({ stream, group })}`}
    >
      Export {count(deadLetters)} as NDJSON
    </a>
  )
}

function None({ group: { stream, group, pending, deadLetterStream } }: OfGroup) {
  if (deadLetterStream === null) {
    return (
      <Empty title="This group can have none">
        <p>Dead letters are Millrace's own; a group of such a name cannot be worked on by it.</p>
      </Empty>
    )
  }
  return (
    <Empty title="No dead letters">
      <p>
        Every entry that was tried has taken effect or waits for its next attempt. Letters appear
        here when an entry cannot be processed.
      </p>
      {pending > 0 && (
        <p>
          <a href={hrefOf('/group/pending', { stream, group })}>
            See the {count(pending)} that are pending
          </a>
        </p>
      )}
    </Empty>
  )
}

function Letters({ group, atMs, query }: OfGroup & { query: URLSearchParams }) {
  const name = { stream: group.stream, group: group.group }
  const asked = useAnswer<Reasons>('dead-letters/reasons', name)
  const chosen = { reason: query.get('reason') ?? undefined, like: query.get('like') ?? undefined }
  return (
    <>
      <section aria-labelledby="h-why">
        <div class="head">
          <h2 id="h-why">By reason</h2>
          {asked.kind === 'answered' && <span class="note">{reasonsText(asked.answer)}</span>}
        </div>
        {asked.kind === 'loading' && <Loading what="reasons" />}
        {asked.kind === 'failed' && (
          <Failed what="dead letters" error={asked.error} retry={asked.retry} />
        )}
        {asked.kind === 'answered' && (
          <Table
            label="Dead letters by reason"
            columns={reasonColumns(atMs)}
            rows={asked.answer.reasons}
            keyOf={reasonKey}
            current={
              chosen.like === undefined ? undefined : JSON.stringify([chosen.reason, chosen.like])
            }
          />
        )}
      </section>
      <LetterList {...name} {...chosen} atMs={atMs} letter={query.get('letter') ?? undefined} />
    </>
  )
}

const reasonKey = ({ reason, like }: ReasonGroup): string => JSON.stringify([reason, like])

const reasonsText = ({ reasons, scanned, isComplete }: Reasons): string =>
  isComplete
    ? `${count(reasons.length)}, most first`
    : `${count(reasons.length)}, most first; of the newest ${count(scanned)} letters`

function reasonColumns(atMs: number): Column<ReasonGroup>[] {
  return [
    { head: 'Reason', class: 'strong w2', cell: ({ reason }) => reason },
    { head: 'Error', class: 'fill w', cell: ({ error }) => error },
    { head: 'First', class: 'n hide-s', cell: ({ firstMs }) => <Ago ms={firstMs} atMs={atMs} /> },
    {
      head: 'Last',
      class: 'n',
      label: 'Last',
      cell: ({ lastMs }) => <Ago ms={lastMs} atMs={atMs} />,
    },
    { head: 'Letters', class: 'n strong', label: 'Letters', cell: ({ letters }) => count(letters) },
    {
      head: <span class="vh">Show</span>,
      class: 'n side',
      cell: ({ reason, like, letters }) => (
        <button
          class="btn"
          type="button"
          aria-label={`Show ${count(letters)}: ${reason}, ${like}`}
          onClick={() => setQuery({ reason, like, letter: undefined })}
        >
          Show {count(letters)}
        </button>
      ),
    },
  ]
}

function Ago({ ms, atMs }: { ms: number; atMs: number }) {
  return ms > 0 ? <Time ms={ms}>{ago(Math.max(0, atMs - ms))}</Time> : <>—</>
}

interface ListProps {
  readonly stream: string
  readonly group: string
  readonly reason: string | undefined
  readonly like: string | undefined
  readonly letter: string | undefined
  readonly atMs: number
}

function LetterList({ stream, group, reason, like, letter, atMs }: ListProps) {
  const wanted = { stream, group, reason, like, count: 100 }
  const { pages, isLoading, error, more, again } = usePages<LetterPage>(
    'dead-letters',
    wanted,
    'from',
  )
  const rows = pages.flatMap(({ letters }) => letters)
  const at = rows.findIndex(({ letterId }) => letterId === letter)
  const walk = (step: number) => () => {
    const next = rows[at < 0 ? 0 : at + step]
    if (next !== undefined) setQuery({ letter: next.letterId })
  }
  const close = (): void => setQuery({ letter: undefined })
  useKeys({ j: walk(1), k: walk(-1), Escape: close })
  const shown = rows[at]
  return (
    <section aria-labelledby="h-let">
      <div class="head">
        <h2 id="h-let">{reason === undefined ? 'All letters' : `${reason}: ${like ?? ''}`}</h2>
        <span class="note">
          {count(rows.length)}
          {more !== undefined && ' or more'}, newest first
        </span>
        {reason !== undefined && (
          <span class="end">
            <button class="btn" type="button" onClick={() => setQuery({ reason: '', like: '' })}>
              Show all
            </button>
          </span>
        )}
      </div>
      {error !== undefined && <Failed what="dead letters" error={error} retry={again} />}
      {isLoading && rows.length === 0 && <Loading what="dead letters" />}
      {rows.length > 0 && (
        <div class={shown === undefined ? '' : 'split'}>
          <Table
            label="Letters"
            columns={letterColumns(atMs)}
            rows={rows}
            keyOf={({ letterId }) => letterId}
            current={letter}
            onEnd={more}
          />
          {shown !== undefined && <LetterDrawer stream={stream} letter={shown} onClose={close} />}
        </div>
      )}
    </section>
  )
}

function letterColumns(atMs: number): Column<ShownLetter>[] {
  return [
    {
      head: 'Letter',
      class: 'mono w2',
      cell: ({ letterId }) => <RowLink name="letter" value={letterId} />,
    },
    {
      head: 'Died',
      class: 'n lead',
      label: 'Died',
      cell: ({ time }) => <Ago ms={time} atMs={atMs} />,
    },
    { head: 'Entry id', class: 'mono', label: 'Entry', cell: ({ entryId }) => entryId },
    {
      head: 'Attempts',
      class: 'n',
      label: 'Attempts',
      cell: ({ attempts }) => (attempts === null ? '—' : count(attempts)),
    },
    { head: 'Given up by', class: 'soft', label: 'Given up by', cell: ({ consumer }) => consumer },
    {
      head: 'Fields',
      class: 'cut mono w',
      cell: ({ fields, isPacked }) =>
        isPacked ? <span class="dim">more than 1,500 fields</span> : <FieldsLine fields={fields} />,
    },
  ]
}
