/** Where a range of a stream begins or ends, as somebody types it. */

export type PlaceRead =
  | { readonly kind: 'open' }
  /** An id, or a time in milliseconds. */
  | { readonly kind: 'place'; readonly value: string }
  | { readonly kind: 'wrong'; readonly why: string }

/** Takes an id, milliseconds, or a time as `2026-11-28 14:30[:07[.300]] [UTC|Z]`; without a zone it is UTC. */
export function readPlace(text: string): PlaceRead {
  const typed = text.trim()
  if (typed === '') return { kind: 'open' }
  if (/^\d{1,20}(?:-\d{1,20})?$/.test(typed)) return { kind: 'place', value: typed }
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?))?\s*(?:UTC|Z)?$/i.exec(typed)
  const ms = match === null ? NaN : Date.parse(`${match[1] ?? ''}T${match[2] ?? '00:00'}Z`)
  if (Number.isFinite(ms)) return { kind: 'place', value: String(ms) }
  return { kind: 'wrong', why: `Cannot read "${typed}": it is neither an id nor a time.` }
}
