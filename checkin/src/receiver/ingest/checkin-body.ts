import { starsMax, type Checkin } from '../../domain/checkins.ts'
import type { FieldProblem } from '../http/problem.ts'

/** What a body turned out to be. */
export type CheckinBody =
  | { readonly kind: 'valid'; readonly checkin: Checkin }
  | { readonly kind: 'invalid'; readonly errors: readonly FieldProblem[] }

const idsMax = Number.MAX_SAFE_INTEGER
const idSchema = { type: 'integer', minimum: 1, maximum: idsMax }

/** What `readCheckin` takes, for the documentation. */
export const checkinSchema = {
  type: 'object',
  required: ['userId', 'locationId', 'starRating'],
  properties: {
    userId: idSchema,
    locationId: idSchema,
    starRating: { type: 'integer', minimum: 0, maximum: starsMax },
  },
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
  const { userId, locationId, starRating } = body as Record<string, unknown>
  if (isInteger(userId, 1, idsMax) && isInteger(locationId, 1, idsMax) && isStars(starRating)) {
    // Adding 0 turns -0 into 0.
    return { kind: 'valid', checkin: { userId, locationId, starRating: starRating + 0 } }
  }
  const errors: FieldProblem[] = []
  if (!isInteger(userId, 1, idsMax)) errors.push(fieldProblem('userId', userId, 1, idsMax))
  if (!isInteger(locationId, 1, idsMax)) {
    errors.push(fieldProblem('locationId', locationId, 1, idsMax))
  }
  if (!isStars(starRating)) errors.push(fieldProblem('starRating', starRating, 0, starsMax))
  return { kind: 'invalid', errors }
}

const notAnObject: FieldProblem = {
  pointer: '#',
  detail: 'must be a JSON object with userId, locationId and starRating',
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
}

function isStars(value: unknown): value is number {
  return isInteger(value, 0, starsMax)
}

function fieldProblem(name: keyof Checkin, value: unknown, min: number, max: number): FieldProblem {
  const start = value === undefined ? 'is missing: it ' : ''
  return { pointer: `#/${name}`, detail: `${start}must be an integer from ${min} to ${max}` }
}
