/** Looks up one entry by its id. */
import { useState } from 'preact/hooks'
import type { EntryLook } from '../../../src/console/wire.ts'
import { setQuery } from '../reader/route.ts'
import { textOf } from '../reader/form.ts'
import { useAnswer, useLive } from '../live/use.ts'
import { EntryBody } from './entry-drawer.tsx'

export function Entry({ query }: { query: URLSearchParams }) {
  const { view } = useLive()
  const stream = query.get('stream') ?? ''
  const id = query.get('id') ?? ''
  const isNamed = stream !== '' && id !== ''
  const asked = useAnswer<EntryLook>(isNamed ? 'entry' : undefined, { stream, id })
  return (
    <>
      <div class="title">
        <h1>Entry {isNamed && <span class="mono">{id}</span>}</h1>
      </div>
      <p class="said">What stands in an entry, and what became of it in each group.</p>
      <LookUp stream={stream} id={id} streams={view?.streams.map(({ key }) => key) ?? []} />
      {isNamed && (
        <section class="one" aria-label={`Entry ${id}`}>
          <EntryBody asked={asked} atMs={view?.atMs ?? 0} />
        </section>
      )}
    </>
  )
}

interface LookUpProps {
  readonly stream: string
  readonly id: string
  readonly streams: readonly string[]
}

function LookUp({ stream, id, streams }: LookUpProps) {
  const [wrong, setWrong] = useState('')
  const submit = (event: Event): void => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const [key, wanted] = [textOf(form, 'stream'), textOf(form, 'id').trim()]
    const isId = /^\d{1,20}-\d{1,20}$/.test(wanted)
    setWrong(isId ? '' : 'An id is like 1740790744731-0.')
    if (isId) setQuery({ stream: key, id: wanted })
  }
  return (
    <form class="filter" role="search" onSubmit={submit}>
      <label class="field">
        Stream
        <input
          name="stream"
          type="text"
          list="streams"
          required
          defaultValue={stream === '' ? (streams[0] ?? '') : stream}
        />
        <datalist id="streams">
          {streams.slice(0, 200).map((key) => (
            <option key={key} value={key} />
          ))}
        </datalist>
      </label>
      <label class="field">
        Id
        <input
          class="when"
          name="id"
          type="text"
          required
          defaultValue={id}
          placeholder="1740790744731-0"
        />
      </label>
      <button class="btn btn-main" type="submit">
        Look up
      </button>
      <span class="why" role="status">
        {wrong}
      </span>
    </form>
  )
}
