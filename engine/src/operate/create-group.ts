/** Makes a group, but never again one that was lost: it could process entries once more. */
import { MillraceError } from '../support/errors.ts'
import { checkOptions, text, type Rules } from '../support/option-values.ts'
import type { GroupKeys } from '../redis/keys.ts'
import type { Connection } from '../redis/connection.ts'
import * as scripts from '../scripts/group.ts'

const rules: Rules<{ readonly from?: string }> = { from: text }

/**
 * See `Group.create`.
 * @throws {MillraceError} WRONG_TYPE; GROUP_LOST when the group was there before; REFUSED when `from` is no id.
 */
export async function createGroup(
  connection: Connection,
  keys: GroupKeys,
  { stream, group }: { readonly stream: string; readonly group: string },
  options: { readonly from?: string },
): Promise<{ created: boolean }> {
  checkOptions(`create group "${group}" on "${stream}"`, options, rules)
  const from = options.from ?? '0'
  const created = await scripts.createGroup(connection, keys, { group, from })
  if (created.kind !== 'lost') return { created: created.kind === 'created' }
  throw new MillraceError('GROUP_LOST', {
    action: `Cannot create group "${group}" on "${stream}"`,
    state: `it was there before and has applied ${created.applied.toLocaleString('en-US')} entries, up to ${created.top}`,
    remedy: 'Recover it',
  })
}
