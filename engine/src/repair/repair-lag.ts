/** Makes the lag that the server tells true again, where it lost count of what a group has read. */
import { MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import type { Connection } from '../redis/connection.ts'
import * as scripts from '../scripts/ledger.ts'
import type { LagRepair } from '../scripts/ledger.ts'
import { countRange } from '../scripts/reading.ts'

// Some 10 ms of the server.
const countedInScript = 10_000
const attemptsMax = 5

/**
 * Counts what is undelivered, and with `execute` makes the server tell that.
 * @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION; REFUSED when more than 10,000 entries, or half a
 *   megabyte of them, are undelivered and the group or the stream's head moves while they are counted.
 */
export async function repairLag(
  connection: Connection,
  keys: GroupKeys,
  { group, execute }: { readonly group: string; readonly execute: boolean },
): Promise<LagRepair> {
  const { stream } = keys
  const what = { group, execute, countMax: countedInScript }
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    let answer = await scripts.repairLag(connection, keys, what)
    if (answer.kind === 'many') {
      const range = [`(${answer.lastDeliveredId}`, answer.lastId] as const
      const { counted: undelivered } = await countRange(connection, stream, range, {
        most: Infinity,
      })
      const counted = { ...answer, undelivered }
      answer = await scripts.repairLag(connection, keys, { ...what, counted })
    }
    if (answer.kind !== 'many' && answer.kind !== 'moved') return answer
  }
  throw new MillraceError('REFUSED', {
    action: `Cannot count what group "${group}" of stream "${stream}" has not been delivered`,
    state: 'it moves meanwhile',
    remedy: 'Pause the group, or try again when fewer entries wait',
  })
}
