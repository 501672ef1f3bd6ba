/** The body of a check-in: its limits are those of the stream, declared in the domain. */
import { checkinFields, type Checkin } from '../../domain/checkins.ts'
import type { FieldError } from '../http/problem.ts'

/** What a body turned out to be. */
export type CheckinBody =
  | { readonly kind: 'valid'; readonly checkin: Checkin }
  | { readonly kind: 'invalid'; readonly errors: readonly FieldError[] }

interface Bounds {
  readonly min: number
  readonly max: number
}

const names = ['userId', 'locationId', 'starRating'] as const satisfies (keyof Checkin)[]
const { userId: users, locationId: locations, starRating: stars } = checkinFields

/** What `readCheckin` takes, for the documentation. */
export const checkinSchema = {
  type: 'object',
  required: names,
  properties: Object.fromEntries(
    names.map((name) => {
      const { min, max } = checkinFields[name]
      return [name, { type: 'integer', minimum: min, maximum: max }]
    }),
  ),
}

/**
 * Reads a check-in from a parsed JSON body. Numbers are taken as they are, nothing is coerced: `"5"`, `true`, `1.5` and
 * `1e400` are refused; `1.0` is the integer 1 and `-0` is 0. Fields beyond the three are ignored, and never copied.
 * @returns every wrong field, not only the first.
 */
export function readCheckin(body: unknown): CheckinBody {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { kind: 'invalid', errors: [notAnObject] }
  }
  const fields = body as Readonly<Record<keyof Checkin, unknown>>
  const { userId, locationId, starRating } = fields
  // Field by field, not in a loop: this is done for every check-in.
  if (isWithin(userId, users) && isWithin(locationId, locations) && isWithin(starRating, stars)) {
    // Adding 0 turns -0 into 0.
    return { kind: 'valid', checkin: { userId, locationId, starRating: starRating + 0 } }
  }
  const wrong = names.filter((name) => !isWithin(fields[name], checkinFields[name]))
  return { kind: 'invalid', errors: wrong.map((name) => fieldError(name, fields[name])) }
}

const notAnObject: FieldError = {
  pointer: '#',
  detail: 'must be a JSON object with userId, locationId and starRating',
}

function isWithin(value: unknown, { min, max }: Bounds): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}

function fieldError(name: keyof Checkin, value: unknown): FieldError {
  const { min, max } = checkinFields[name]
  const start = value === undefined ? 'is missing: it ' : ''
  return { pointer: `#/${name}`, detail: `${start}must be an integer from ${min} to ${max}` }
}
