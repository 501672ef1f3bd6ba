import { readFileSync } from 'node:fs'
import { keys } from '../workload/checkins.ts'

/** The script that gives all peers the same effect per check-in. */
export const effectScript = readFileSync(new URL('./checkin-effect.lua', import.meta.url), 'utf8')

/** Keys and arguments of the script for one check-in whose values came from Redis as strings. */
export function effectArguments(
  at: string,
  fields: CheckinFields,
): { keys: [string, string]; values: string[] } {
  const { userId, locationId, starRating } = fields
  return {
    keys: [keys.user(Number(userId)), keys.location(Number(locationId))],
    values: [at, String(locationId), String(starRating)],
  }
}

export interface CheckinFields {
  readonly userId: string | number
  readonly locationId: string | number
  readonly starRating: string | number
}

/** The time in an entry id: its first part. */
export function timeOf(id: string): string {
  return id.slice(0, id.indexOf('-'))
}
