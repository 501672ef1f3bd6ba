import { isPlain, setQuery } from '../reader/route.ts'

/** Opens a row beside the list: the address says which, so that it can be sent to somebody. */
export function RowLink({ name, value }: { name: 'entry' | 'letter'; value: string }) {
  const query = new URLSearchParams(location.search)
  query.set(name, value)
  return (
    <a
      href={`${location.pathname}?${query.toString()}`}
      onClick={(event) => {
        if (!isPlain(event)) return
        event.preventDefault()
        setQuery({ [name]: value })
      }}
    >
      {value}
    </a>
  )
}
