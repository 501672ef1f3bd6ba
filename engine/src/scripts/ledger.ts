/** The scripts about the ledger of a group: what must balance, and what is brought into the account. */
import { streamLedger, type GroupKeys } from '../redis/keys.ts'
import { numberOrNull, textOrNull } from '../redis/replies.ts'
import type { Reply } from '../redis/connection.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { groupFailure } from './script-failure.ts'

const balanceScript = script('balance')
const acceptLossScript = script('accept-loss')
const repairLagScript = script('repair-lag')

/** The counts of one moment. What must hold: appended = skipped + applied + (deadLettered - redriven) + pending + undelivered. */
export interface LedgerCounts {
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
}

/**
 * Reads what must balance, in one moment.
 * @param what.countMax undelivered entries to count
 * @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION.
 */
export async function balance(
  connection: Sender,
  keys: GroupKeys,
  what: { readonly group: string; readonly countMax: number },
): Promise<LedgerCounts> {
  const { stream, deadLetters, ledger, retries } = keys
  const { group, countMax } = what
  const reply = await runScript(
    connection,
    balanceScript,
    [stream, deadLetters, ledger, streamLedger(stream), retries],
    [group, String(countMax)],
  )
  return countsOf(checked(reply, (code) => groupFailure(code, { stream, group })))
}

function countsOf(reply: readonly Reply[]): LedgerCounts {
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
    // A field of the ledger, and so a text.
    skipped: skipped === '' || skipped === undefined ? null : Number(skipped),
    hasLedger: since !== '',
  }
}

/** Two counters of the ledger. */
interface Losses {
  readonly skipped: number
  readonly purged: number
}

/**
 * Sets two counters of the ledger, when they still are what they were.
 * @returns false when the ledger says something else by now.
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
 */
export async function acceptLoss(
  connection: Sender,
  { stream, ledger }: GroupKeys,
  what: { readonly group: string; readonly were: Losses; readonly shallBe: Losses },
): Promise<boolean> {
  const { group, were, shallBe } = what
  const counters = [were.skipped, were.purged, shallBe.skipped, shallBe.purged]
  const reply = await runScript(connection, acceptLossScript, [ledger], counters.map(String))
  return checked(reply, (code) => groupFailure(code, { stream, group }))[0] === 'accepted'
}

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

/** What a count of the undelivered entries began from, and so what it holds for. */
export interface CountBasis {
  readonly lastDeliveredId: string
  /** Entries ever appended. */
  readonly appended: number
  /** Entries in the stream. */
  readonly length: number
}

export type LagAnswer =
  | LagRepair
  /** They are too many to be counted in the script: from behind the last delivered id to `lastId`. */
  | (CountBasis & { readonly kind: 'many'; readonly lastId: string })
  /** What was counted does not hold any more. */
  | { readonly kind: 'moved' }

/**
 * Compares the lag that the server tells with what is undelivered; sets it right if it shall.
 * @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION.
 */
export async function repairLag(
  connection: Sender,
  { stream }: GroupKeys,
  what: {
    readonly group: string
    readonly execute: boolean
    /** Entries to count in the script. */
    readonly countMax: number
    /** What was counted outside, where they are more. */
    readonly counted?: (CountBasis & { readonly undelivered: number }) | undefined
  },
): Promise<LagAnswer> {
  const { group, execute, countMax, counted } = what
  const args = [group, execute ? 'yes' : 'no', String(countMax)]
  if (counted !== undefined) {
    const { undelivered, lastDeliveredId, appended, length } = counted
    args.push(String(undelivered), lastDeliveredId, String(appended), String(length))
  }
  const reply = await runScript(connection, repairLagScript, [stream], args)
  return lagOf(checked(reply, (code) => groupFailure(code, { stream, group })))
}

function lagOf([kind, ...rest]: readonly Reply[]): LagAnswer {
  if (kind === 'many') {
    const [delivered, appended, length, lastId] = rest
    const basis = { appended: Number(appended), length: Number(length), lastId: String(lastId) }
    return { kind, lastDeliveredId: String(delivered), ...basis }
  }
  if (kind !== 'same' && kind !== 'differs' && kind !== 'repaired') return { kind: 'moved' }
  const [undelivered, before, after] = rest
  return {
    kind,
    undelivered: Number(undelivered),
    lagBefore: numberOrNull(before),
    lagAfter: numberOrNull(after),
  }
}
