/** One entry beside a list: what stands in it, and where each group has it. */
import type { EntryInGroup, EntryLook } from '../../../src/console/wire.ts'
import type { Shape } from '../../../src/console/condition.ts'
import { CloseButton } from '../parts/close-button.tsx'
import { hrefOf } from '../reader/route.ts'
import { useAnswer, type Asked } from '../live/use.ts'
import { Copy } from '../parts/copy.tsx'
import { FieldsTable } from '../parts/fields.tsx'
import { Status } from '../parts/icons.tsx'
import { Failed, Loading } from '../parts/states.tsx'
import { Moment } from '../parts/time.tsx'
import { count, countOf, span, timeOfId } from '../words/format.ts'

export interface EntryDrawerProps {
  readonly stream: string
  readonly id: string
  readonly atMs: number
  readonly onClose: () => void
}

export function EntryDrawer({ stream, id, atMs, onClose }: EntryDrawerProps) {
  const asked = useAnswer<EntryLook>('entry', { stream, id })
  return (
    <aside class="drawer" aria-labelledby="h-entry">
      <header>
        <h2 class="mono" id="h-entry">
          {id}
        </h2>
        <Copy text={id} what="the id" />
        <span class="grow" />
        <CloseButton onClose={onClose} />
      </header>
      <div class="body">
        <EntryBody asked={asked} atMs={atMs} />
      </div>
    </aside>
  )
}

/** What is known of an entry; also the page of one entry. */
export function EntryBody({ asked, atMs }: { asked: Asked<EntryLook>; atMs: number }) {
  if (asked.kind === 'loading') return <Loading what="the entry" columns={2} />
  if (asked.kind === 'failed')
    return <Failed what="the entry" error={asked.error} retry={asked.retry} />
  const { id, stream, fields, groups, isComplete } = asked.answer
  const trace = fields?.find(({ name }) => name === 'traceparent')?.value.split('-')[1]
  const appended = timeOfId(id)
  return (
    <>
      {fields === null ? (
        <p class="soft">
          The stream does not hold this entry: it was deleted or trimmed, or never there.
        </p>
      ) : (
        <FieldsTable fields={fields} />
      )}
      <dl class="kv">
        <dt>stream</dt>
        <dd class="mono">
          <a href={hrefOf('/stream', { stream, from: id, order: 'oldest' })}>{stream}</a>
        </dd>
        {appended !== null && (
          <>
            <dt>appended</dt>
            <dd>
              <Moment ms={appended} />
            </dd>
          </>
        )}
        {trace !== undefined && (
          <>
            <dt>trace</dt>
            <dd class="mono">
              {trace} <Copy text={trace} what="the trace id" />
            </dd>
          </>
        )}
      </dl>
      <div>
        <h3>
          In its groups <span class="dim">{count(groups.length)}</span>
        </h3>
        {groups.length === 0 && <p class="soft">The stream has no group.</p>}
        <ol class="stack">
          {groups.map((each) => (
            <li key={each.group}>
              <InGroup {...each} stream={stream} atMs={atMs} />
            </li>
          ))}
        </ol>
        {!isComplete && <p class="why">The stream has more groups than are asked here.</p>}
      </div>
    </>
  )
}

const kinds: Readonly<Record<EntryInGroup['kind'], readonly [Shape, string]>> = {
  waiting: ['unknown', 'Waits: not delivered yet'],
  pending: ['warn', 'Pending'],
  applied: ['ok', 'Done'],
  acknowledged: ['ok', 'Acknowledged'],
  delivered: ['ok', 'Delivered, and not pending'],
  dead: ['bad', 'Dead letter'],
  trimmed: ['off', 'Trimmed'],
  unknown: ['unknown', 'Not known'],
}

function InGroup({
  group,
  kind,
  pending,
  letter,
  stream,
  atMs,
}: EntryInGroup & { stream: string; atMs: number }) {
  const [shape, word] = kinds[kind]
  return (
    <>
      <Status shape={shape}>{word}</Status>{' '}
      <span class="soft">
        in <a href={hrefOf('/group', { stream, group })}>{group}</a>
        {pending !== null &&
          `, with ${pending.consumer} for ${span(pending.idleMs)}, delivered ${countOf(pending.deliveries, 'time')}`}
      </span>
      {letter !== null && (
        <>
          <p class="soft">
            {letter.reason}: {letter.error}
          </p>
          <p class="dim">
            given up by {letter.consumer === '' ? 'nobody named' : letter.consumer}
            {letter.attempts !== null && `, after ${countOf(letter.attempts, 'failed attempt')}`}
            {letter.time > 0 && `, ${span(Math.max(0, atMs - letter.time))} ago`}.{' '}
            <a href={hrefOf('/group/dead-letters', { stream, group, letter: letter.letterId })}>
              See the letter
            </a>
          </p>
        </>
      )}
    </>
  )
}
