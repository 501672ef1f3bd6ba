/** Whether what the ledger of a group counts adds up to what was appended. */
import { countRange } from '../scripts/count-range.ts'
import { problem } from '../apply/gate.ts'
import { streamLedger, type GroupKeys } from '../redis/keys.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { runScript, scripts } from '../scripts/run-script.ts'

/** The counts of one moment. What must hold: appended = skipped + applied + (deadLettered - redriven) + pending + undelivered. */
export interface Balance {
  /** That moment, in milliseconds of the server's clock. */
  readonly atMs: number
  /** Entries ever appended to the stream. */
  readonly appended: number
  /** Entries in the stream. */
  readonly length: number
  readonly lastId: string
  readonly lastDeliveredId: string
  readonly pending: number
  /** Null when nothing is pending. */
  readonly oldestPendingId: string | null
  /** Null when nothing is undelivered. */
  readonly oldestUndeliveredId: string | null
  /** Counted; null when there are more than a million, or they cannot be counted while so much happens. */
  readonly undelivered: number | null
  /** What the server says about them; null when it cannot tell. */
  readonly lag: number | null
  /** Entries that the group never had to process; null when that is unknown. */
  readonly skipped: number | null
  readonly applied: number
  readonly deadLettered: number
  readonly redriven: number
  readonly purged: number
  /** Entries that the trimmer has removed. */
  readonly trimmed: number
  /** Letters in the dead-letter stream: deadLettered - redriven - purged, unless somebody else wrote or deleted some. */
  readonly deadLetters: number
  /** Entries whose next attempt is scheduled. */
  readonly retries: number
  /** False: there is no ledger, so its counts are 0. */
  readonly hasLedger: boolean
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
    const read = await readOnce(connection, keys, group)
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

type Read = Omit<Balance, 'unaccounted'>

async function readOnce(connection: Connection, keys: GroupKeys, group: string): Promise<Read> {
  const { stream, deadLetters, ledger, retries } = keys
  const place = [stream, deadLetters, ledger, streamLedger(stream), retries]
  const args = [group, String(countedInScript)]
  const reply = await runScript(connection, scripts.balance, place, args)
  if (reply[0] === 'error') throw problem(String(reply[1]), { stream, group })
  const [, appended, length, lastId, delivered, pending, undelivered, lag, letters, ...rest] = reply
  const [scheduled, trimmed, applied, dead, redriven, purged, skipped, since, ...moment] = rest
  const [atMs, oldestUndelivered, oldestPending] = moment
  return {
    atMs: Number(atMs),
    appended: Number(appended),
    length: Number(length),
    lastId: String(lastId),
    lastDeliveredId: String(delivered),
    pending: Number(pending),
    oldestPendingId: textOrNull(oldestPending),
    oldestUndeliveredId: textOrNull(oldestUndelivered),
    undelivered: numberOrNull(undelivered),
    lag: numberOrNull(lag),
    deadLetters: Number(letters),
    retries: Number(scheduled),
    trimmed: Number(trimmed),
    applied: Number(applied),
    deadLettered: Number(dead),
    redriven: Number(redriven),
    purged: Number(purged),
    skipped: numberOrNull(skipped),
    hasLedger: since !== '',
  }
}

function balanced(read: Read): Balance {
  const { skipped, undelivered, applied, deadLettered, redriven, pending, appended } = read
  if (!read.hasLedger || skipped === null || undelivered === null) {
    return { ...read, unaccounted: null }
  }
  const settled = applied + deadLettered - redriven
  return { ...read, unaccounted: appended - (skipped + settled + pending + undelivered) }
}

const numberOrNull = (reply: Reply | undefined): number | null =>
  reply === '' || reply === undefined || reply === null ? null : Number(reply)

const textOrNull = (reply: Reply | undefined): string | null =>
  typeof reply === 'string' && reply !== '' ? reply : null
