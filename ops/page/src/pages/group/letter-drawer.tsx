import type { ShownLetter } from '../../../../src/console/wire.ts'
import { CloseButton } from '../../parts/close-button.tsx'
import { hrefOf } from '../../reader/route.ts'
import { CommandLine, Copy } from '../../parts/copy.tsx'
import { FieldsTable } from '../../parts/fields.tsx'
import { Status } from '../../parts/icons.tsx'
import { Moment } from '../../parts/time.tsx'
import { count } from '../../words/format.ts'

export interface LetterDrawerProps {
  readonly stream: string
  readonly letter: ShownLetter
  readonly onClose: () => void
}

/** One dead letter beside the list. */
export function LetterDrawer({ stream, letter, onClose }: LetterDrawerProps) {
  const { letterId, entryId, reason, error, consumer, time, attempts, fields, isPacked } = letter
  return (
    <aside class="drawer" aria-labelledby="h-letter">
      <header>
        <h2 class="mono" id="h-letter">
          {letterId}
        </h2>
        <Copy text={letterId} what="the id" />
        <span class="grow" />
        <CloseButton onClose={onClose} />
      </header>
      <div class="body">
        <div>
          <Status shape="bad">{reason}</Status> <span class="soft wrap-any">{error}</span>
        </div>
        {isPacked ? (
          <p class="soft">The entry has more than 1,500 fields; the letter keeps them packed.</p>
        ) : (
          <FieldsTable fields={fields} />
        )}
        <dl class="kv">
          <dt>entry</dt>
          <dd class="mono">
            {entryId === '' ? (
              'none named'
            ) : (
              <a href={hrefOf('/entry', { stream, id: entryId })}>{entryId}</a>
            )}
          </dd>
          <dt>given up by</dt>
          <dd>{consumer === '' ? '—' : consumer}</dd>
          <dt>at</dt>
          <dd>
            <Moment ms={time} />
          </dd>
          <dt>attempts</dt>
          <dd>{attempts === null ? 'not told' : count(attempts)}</dd>
        </dl>
        <div>
          <h3>To try it again, from the command line</h3>
          <CommandLine line={`npx millrace dead-letters redrive ${letterId}`} />
        </div>
      </div>
    </aside>
  )
}
