/** The scripts about who lives and who does not: leases of names, and the entries of consumers that are gone. */
import type { GroupKeys } from '../redis/keys.ts'
import { asList, rawEntries, textsOf, type RawEntry } from '../redis/replies.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { groupFailure } from './script-failure.ts'

const leaseScript = script('lease')
const sweepScript = script('sweep')
const claimScript = script('claim')
const setIdleScript = script('set-idle')
const removeEmptyScript = script('remove-empty')

export type LeaseAnswer =
  | {
      /** Another one holds it. */
      readonly kind: 'held'
      /** JSON. */
      readonly holder: string
      readonly leftMs: number
    }
  /** A renewal or release came too late: another one has it, or it was removed. */
  | { readonly kind: 'lost' }
  /** `leftMs`: what was left before; 0 or less when it had ended. */
  | { readonly kind: 'ours'; readonly leftMs: number }

/** Takes, renews or releases the lease of a consumer's name. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION. */
export async function lease(
  connection: Sender,
  keys: GroupKeys,
  what: {
    readonly action: 'take' | 'renew' | 'release'
    readonly group: string
    readonly consumer: string
    readonly token: string
    readonly leaseMs: number
    /** Who holds it, as JSON. */
    readonly holder: string
    /** To take: the token of a holder that is known to be dead. */
    readonly deadToken?: string
  },
): Promise<LeaseAnswer> {
  const { action, group, consumer, token, leaseMs, holder, deadToken = '' } = what
  const args = [action, consumer, token, String(Math.ceil(leaseMs)), holder, deadToken]
  const reply = await runScript(connection, leaseScript, [keys.leases, keys.holders], args)
  const [kind, detail, left] = checked(reply, (code) => groupFailure(code, { ...keys, group }))
  if (kind === 'held') return { kind, holder: String(detail), leftMs: Number(left) }
  return kind === 'lost' ? { kind } : { kind: 'ours', leftMs: Number(detail) }
}

/** A consumer that has pending entries and no living lease. */
interface Lapsed {
  readonly name: string
  readonly kind: 'expired' | 'no-lease'
  /** How long its lease lasts, in milliseconds; 0 without one. */
  readonly leaseMs: number
}

export interface Swept {
  /** The group or the sweeper is paused. */
  readonly isPaused: boolean
  /** Entries of the sweeper's own may be strays. */
  readonly hasStrays: boolean
  /** Milliseconds until the first retry is due; null without one, or when another consumer has the turn. */
  readonly firstDueMs: number | null
  /** Whose entries may be claimed, expired ones first; none when another consumer has the turn. */
  readonly lapsed: readonly Lapsed[]
}

/** Takes the turn to sweep. @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION. */
export async function sweep(
  connection: Sender,
  { stream, leases, holders, retries, attempts, ledger }: GroupKeys,
  what: {
    readonly group: string
    readonly consumer: string
    /** How long a turn lasts, in milliseconds. */
    readonly turnMs: number
    /** Idle time (ms) after which an entry of its own may be a stray. */
    readonly strayMs: number
    /** False: the turn is left to another one. */
    readonly hasRoom: boolean
  },
): Promise<Swept> {
  const { group, consumer, turnMs, strayMs, hasRoom } = what
  const times = [String(turnMs), String(Math.ceil(strayMs))]
  const reply = await runScript(
    connection,
    sweepScript,
    [stream, leases, holders, retries, attempts, ledger],
    [group, consumer, ...times, hasRoom ? 'yes' : 'no'],
  )
  const failure = (code: string) => groupFailure(code, { stream, group })
  const [paused, strays, firstDue, ...rows] = checked(reply, failure)
  return {
    isPaused: paused === 1,
    hasStrays: strays === 1,
    firstDueMs: firstDue === '' ? null : Number(firstDue),
    lapsed: rows.map((row) => {
      const [name, kind, lasts] = asList(row)
      const isExpired = kind === 'expired'
      return {
        name: String(name),
        kind: isExpired ? 'expired' : 'no-lease',
        leaseMs: Number(lasts ?? 0),
      }
    }),
  }
}

export interface Claimed {
  /** Where the next step begins; empty at the end of the list. */
  readonly next: string
  readonly entries: readonly RawEntry[]
  /** Ids of entries whose body was gone: each left a dead letter. */
  readonly lost: readonly string[]
}

/** Claims entries of a consumer without a living lease. @throws {MillraceError} NO_GROUP, GROUP_MOVED, WRONG_TYPE, AUTHENTICATION. */
export async function claim(
  connection: Sender,
  { stream, deadLetters, leases, holders, ledger }: GroupKeys,
  what: {
    readonly group: string
    /** Who claims. */
    readonly consumer: string
    /** From whom. */
    readonly owner: string
    /** Least idle time, in milliseconds. */
    readonly idleMs: number
    /** Id to begin after, or `-`. */
    readonly after: string
    /** Entries to look at. */
    readonly lookMax: number
    /** Entries to claim. */
    readonly countMax: number
  },
): Promise<Claimed> {
  const { group, consumer, owner, idleMs, after, lookMax, countMax } = what
  const range = [String(Math.ceil(idleMs)), after, String(lookMax), String(countMax)]
  const reply = await runScript(
    connection,
    claimScript,
    [stream, deadLetters, leases, holders, ledger],
    [group, consumer, owner, ...range],
  )
  const failure = (code: string) => groupFailure(code, { stream, group })
  const [next, entries, lost] = checked(reply, failure)
  return { next: String(next), entries: rawEntries(entries), lost: textsOf(lost) }
}

/**
 * Sets the idle time of entries that are pending for this consumer; the delivery count stays.
 * @returns how many of the ids were dealt with: with large entries not all.
 * @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION.
 */
export async function setIdle(
  connection: Sender,
  { stream }: GroupKeys,
  what: {
    readonly group: string
    readonly consumer: string
    readonly idleMs: number
    readonly ids: readonly string[]
  },
): Promise<number> {
  const { group, consumer, idleMs, ids } = what
  const args = [group, consumer, String(idleMs), ...ids]
  const reply = await runScript(connection, setIdleScript, [stream], args)
  return Number(checked(reply, (code) => groupFailure(code, { stream, group }))[0])
}

/**
 * Removes consumers that are empty and long gone, or have no lease; none without the right to it.
 * @param what.afterMs a lease ended at least so long ago
 * @throws {MillraceError} NO_GROUP, WRONG_TYPE.
 */
export async function removeEmpty(
  connection: Sender,
  { stream, leases, holders }: GroupKeys,
  what: { readonly group: string; readonly afterMs: number; readonly names: readonly string[] },
): Promise<void> {
  const { group, afterMs, names } = what
  const args = [group, String(afterMs), ...names]
  const reply = await runScript(connection, removeEmptyScript, [stream, leases, holders], args)
  if (String(reply[1]).startsWith('no-permission')) return
  checked(reply, (code) => groupFailure(code, { stream, group }))
}
