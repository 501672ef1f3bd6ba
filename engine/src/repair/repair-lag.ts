/** Makes the lag that the server tells true again, where it lost count of what a group has read. */
import { countRange } from '../scripts/count-range.ts'
import { problem } from '../apply/gate.ts'
import { MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { runScript, scripts } from '../scripts/run-script.ts'

export interface LagRepair {
  /** `same`: the server tells the truth; `differs`: it does not, and nothing was changed; `repaired`: it did not. */
  readonly kind: 'same' | 'differs' | 'repaired'
  /** Entries that are not delivered yet, counted. */
  readonly undelivered: number
  /** What the server said; null when it could not tell. */
  readonly lagBefore: number | null
  /** What it says now; null: it cannot tell before the group has passed what was deleted. Null also for `differs`. */
  readonly lagAfter: number | null
}

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
  { stream }: GroupKeys,
  { group, execute }: { readonly group: string; readonly execute: boolean },
): Promise<LagRepair> {
  const ask = (...counted: string[]): Promise<Reply[]> => {
    const args = [group, execute ? 'yes' : 'no', String(countedInScript), ...counted]
    return runScript(connection, scripts.repairLag, [stream], args)
  }
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    let reply = await ask()
    if (reply[0] === 'many') {
      const [, delivered = '', added = '', length = '', lastId = ''] = reply.map(String)
      const range = [`(${delivered}`, lastId] as const
      const { counted } = await countRange(connection, stream, range, { most: Infinity })
      reply = await ask(String(counted), delivered, added, length)
    }
    const [kind, undelivered, before, after] = reply
    if (kind === 'error') throw problem(String(undelivered), { stream, group })
    if (kind === 'same' || kind === 'differs' || kind === 'repaired') {
      const lag = { lagBefore: numberOrNull(before), lagAfter: numberOrNull(after) }
      return { kind, undelivered: Number(undelivered), ...lag }
    }
  }
  throw new MillraceError(
    'REFUSED',
    `Cannot count what group "${group}" of stream "${stream}" has not been delivered: it moves meanwhile. ` +
      'Pause the group, or try again when fewer entries wait',
  )
}

const numberOrNull = (reply: Reply | undefined): number | null =>
  typeof reply === 'number' ? reply : null
