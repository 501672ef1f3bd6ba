import type { CheckinModel } from '../domain/checkins.ts'

/** Keys of the service beside those of the engine, with the type that each has to be of. */
export function ownKeys(
  model: CheckinModel,
): { readonly key: string; readonly expected: string }[] {
  const { positionKey, users, locations, geoKey } = model
  const sorted = [...Object.values(users.rankings), ...Object.values(locations.rankings), geoKey]
  return [
    { key: positionKey, expected: 'string' },
    ...sorted.map((key) => ({ key, expected: 'zset' })),
  ]
}
