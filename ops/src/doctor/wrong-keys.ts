import type { Group, Millrace } from 'millrace'
import type { WrongKey } from 'millrace/operate'
import type { Knowledge } from '../service.ts'

/** Keys of ours, the engine's and the service's own, that hold another type. @throws {MillraceError} of the connection. */
export async function wrongKeys(
  millrace: Pick<Millrace, 'send'>,
  group: Pick<Group, 'wrongKeys'>,
  { keys }: Pick<Knowledge, 'keys'>,
): Promise<WrongKey[]> {
  const held = await Promise.all(
    keys.map(async ({ key, expected }) => {
      return { key, expected, holds: String(await millrace.send('TYPE', key)) }
    }),
  )
  const wrong = held.filter((one) => one.holds !== one.expected && one.holds !== 'none')
  return [...(await group.wrongKeys()), ...wrong]
}
