/** How an entry of the stream is shown. */
import type { EntryPage } from 'millrace/operate'
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
