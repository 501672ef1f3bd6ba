/** Whether what the ledger of a group counts adds up to what was appended. */
import { type GroupKeys } from '../redis/keys.ts'
import type { Connection } from '../redis/connection.ts'
import * as scripts from '../scripts/ledger.ts'
import type { LedgerCounts } from '../scripts/ledger.ts'
import { countRange } from '../scripts/reading.ts'

/** The counts of one moment. What must hold: appended = skipped + applied + (deadLettered - redriven) + pending + undelivered. */
export interface Balance extends LedgerCounts {
  /**
   * Appended entries that are in no count; negative: more are counted than were appended, so some counted twice. Null
   * when it cannot be told.
   */
  readonly unaccounted: number | null
}

const countedInScript = 1000
const countedMost = 1_000_000
const attemptsMax = 5

/** @throws {MillraceError} NO_GROUP, WRONG_TYPE. */
export async function readBalance(
  connection: Connection,
  keys: GroupKeys,
  group: string,
): Promise<Balance> {
  let before: number | null = null
  for (let attempt = 1; ; attempt += 1) {
    const read = await scripts.balance(connection, keys, { group, countMax: countedInScript })
    const { undelivered, lastDeliveredId, lastId } = read
    if (undelivered !== null) return balanced(read)
    const range = [`(${lastDeliveredId}`, lastId] as const
    const bounds = { most: countedMost }
    const { counted, isWhole } = await countRange(connection, keys.stream, range, bounds)
    if (!isWhole || attempt === attemptsMax) return balanced(read)
    const outcome = balanced({ ...read, undelivered: counted })
    // They may have been processed and trimmed while they were counted: believe it when it comes out the same again.
    if (outcome.unaccounted === 0 || outcome.unaccounted === before) return outcome
    before = outcome.unaccounted
  }
}

function balanced(read: LedgerCounts): Balance {
  const { skipped, undelivered, applied, deadLettered, redriven, pending, appended } = read
  if (!read.hasLedger || skipped === null || undelivered === null) {
    return { ...read, unaccounted: null }
  }
  const settled = applied + deadLettered - redriven
  return { ...read, unaccounted: appended - (skipped + settled + pending + undelivered) }
}
