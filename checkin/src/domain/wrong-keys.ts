import type { Group, Millrace, WrongKey } from 'millrace'
import type { CheckinModel } from './checkins.ts'

/** Keys of ours, the engine's and the service's own, that hold another type. @throws {MillraceError} of the connection. */
export async function wrongKeys(
  millrace: Millrace,
  model: CheckinModel,
  group: Pick<Group, 'wrongKeys'>,
): Promise<WrongKey[]> {
  const { positionKey, users, locations, geoKey } = model
  const sorted = [...Object.values(users.rankings), ...Object.values(locations.rankings), geoKey]
  const expected = [
    { key: positionKey, expected: 'string' },
    ...sorted.map((key) => ({ key, expected: 'zset' })),
  ]
  const held = await Promise.all(
    expected.map(async ({ key, ...rest }) => {
      return { key, holds: String(await millrace.send('TYPE', key)), ...rest }
    }),
  )
  const wrong = held.filter((one) => one.holds !== one.expected && one.holds !== 'none')
  return [...(await group.wrongKeys()), ...wrong]
}
