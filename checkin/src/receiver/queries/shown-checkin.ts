/** How an entry of the stream is shown. */
import type { EntryPage } from 'millrace'
import type { JsonSchema } from '../http/documentation.ts'
import { entryIdSchema } from '../http/documentation.ts'
import { numberOr } from './numbers.ts'

interface ShownCheckin {
  readonly id: string
  readonly userId: Shown
  readonly locationId: Shown
  readonly starRating: Shown
}

/** The number, the text where somebody appended something else, or null where the field is missing. */
type Shown = number | string | null

/** Only the three fields: an entry of somebody else may hold ten thousand more. */
export function shownCheckin({ id, flat }: EntryPage['entries'][number]): ShownCheckin {
  const shown = (name: string): Shown => {
    for (let at = 0; at + 1 < flat.length; at += 2) {
      if (flat[at] === name) return numberOr(flat[at + 1])
    }
    return null
  }
  return {
    id,
    userId: shown('userId'),
    locationId: shown('locationId'),
    starRating: shown('starRating'),
  }
}

const shownField = { type: ['integer', 'string', 'null'] }

/** What `shownCheckin` returns. */
export const shownCheckinSchema: JsonSchema = {
  type: 'object',
  required: ['id', 'userId', 'locationId', 'starRating'],
  properties: {
    id: entryIdSchema,
    userId: shownField,
    locationId: shownField,
    starRating: shownField,
  },
  additionalProperties: false,
}

// The end of the year 9999: what RFC 3339 can say.
const lastMs = 253_402_300_799_999

/** When the store took an entry, from its id; an id may lie beyond what a date can be. */
export function timeOfId(id: string): string {
  const ms = id.slice(0, id.indexOf('-'))
  // Many entries of one millisecond come in a row.
  if (ms !== latest.ms) {
    latest = { ms, text: new Date(Math.min(Number(ms), lastMs)).toISOString() }
  }
  return latest.text
}

/** When a check-in was taken that was taken just now: by its id, and by our clock where ids run ahead of it. */
export function receivedNow(id: string): string {
  return isAhead(id) ? new Date().toISOString() : timeOfId(id)
}

// Two clocks that are kept in time differ by less.
const clocksMs = 60_000

/** True when the time in an id lies in the future: somebody has appended an entry with an id of their own. */
export function isAhead(id: string): boolean {
  return Number(id.slice(0, id.indexOf('-'))) > Date.now() + clocksMs
}

let latest = { ms: '', text: '' }
