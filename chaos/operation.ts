/** What a run appends: check-ins whose content says what has to become of them. */
import type { SeededRandom } from '../testing/seeded-random.ts'

/**
 * `plain`: takes effect. `poison`: cannot be decoded. `barred`: its user's key may hold another type for a while.
 * `stumbling`: a handler fails at its first attempt. `failing`: a handler fails at every attempt.
 */
export type Sort = 'plain' | 'poison' | 'barred' | 'stumbling' | 'failing'

/** One check-in that was sent, or was to be sent. */
export interface Operation {
  /** From 0; the entry carries it in its field `op`. */
  readonly number: number
  readonly sort: Sort
  readonly userId: number
  readonly locationId: number
  readonly stars: string
  /** Milliseconds since the run began. */
  readonly sentAt: number
  /**
   * `ok`: confirmed. `refused`: certainly not appended. `unknown`: the reply was lost. `rolled-back`: confirmed,
   * and lost by a torn append-only file, as under `everysec`.
   */
  outcome: 'unknown' | 'ok' | 'refused' | 'rolled-back'
}

/** Users and locations that many check-ins share; they have no check-in with anybody else. */
export const hot = { users: 20, locations: 5 } as const

const coldFrom = 101
const onceFrom = 1_000_000

/**
 * A check-in of random content. Half of them belong to a user who checks in this once, so that a loss or a double
 * shows as the entry that it is; the others to few users and locations, whose last check-in many race for.
 */
export function randomOperation(
  number: number,
  sentAt: number,
  random: SeededRandom,
  given: { readonly sort?: Sort; readonly userId?: number } = {},
): Operation {
  const sort = given.sort ?? randomSort(random)
  const isHot = sort === 'plain' && given.userId === undefined && random.chance(0.5)
  const locationId = isHot ? random.between(1, hot.locations) : coldFrom + random.between(0, 19)
  const userId = given.userId ?? (isHot ? random.between(1, hot.users) : onceFrom + number)
  const stars = sort === 'poison' ? 'many' : String(random.between(0, 5))
  return { number, sort, userId, locationId, stars, sentAt, outcome: 'unknown' }
}

function randomSort(random: SeededRandom): Sort {
  const at = random.next()
  if (at < 0.01) return 'poison'
  if (at < 0.02) return 'failing'
  return at < 0.05 ? 'stumbling' : 'plain'
}

/** Fields and values as XADD takes them. */
export function fieldsOf(operation: Operation): string[] {
  const { number, sort, userId, locationId, stars } = operation
  return [
    ...['locationId', String(locationId), 'userId', String(userId), 'starRating', stars],
    ...['op', String(number), 'sort', sort],
  ]
}
