/** Takes what was lost, found twice or deleted by hand into the account of a group, so that its ledger balances again. */
import { readBalance } from './balance.ts'
import { MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import type { Connection } from '../redis/connection.ts'
import * as scripts from '../scripts/ledger.ts'

export interface LossAcceptance {
  /** Entries that were in no count, now skipped; negative: more were counted than appended. */
  readonly entries: number
  /** Letters that others deleted, now purged; negative: others wrote some. */
  readonly letters: number
  /** False: it was only told. */
  readonly isAccepted: boolean
}

/**
 * Says what is in no count, and with `execute` takes it into the ledger.
 * @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION; REFUSED when it cannot be told whether the counts add up, or
 *   somebody else accepts the same at this moment.
 */
export async function acceptLoss(
  connection: Connection,
  keys: GroupKeys,
  { group, execute }: { readonly group: string; readonly execute: boolean },
): Promise<LossAcceptance> {
  const balance = await readBalance(connection, keys, group)
  const { unaccounted: entries, skipped, purged } = balance
  const action = `Cannot accept losses of group "${group}" of stream "${keys.stream}"`
  if (entries === null || skipped === null) {
    throw new MillraceError('REFUSED', {
      action,
      state: 'it cannot be told whether its counts add up',
      remedy:
        'Try again when fewer entries wait; for a group that began amid its stream it never can',
    })
  }
  const letters = balance.deadLettered - balance.redriven - purged - balance.deadLetters
  if (!execute || (entries === 0 && letters === 0)) return { entries, letters, isAccepted: false }
  const shallBe = { skipped: skipped + entries, purged: purged + letters }
  const what = { group, were: { skipped, purged }, shallBe }
  const isAccepted = await scripts.acceptLoss(connection, keys, what)
  if (isAccepted) return { entries, letters, isAccepted }
  const remedy = 'Try again'
  throw new MillraceError('REFUSED', { action, state: 'the account changed meanwhile', remedy })
}
