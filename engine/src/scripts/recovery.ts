/** The scripts that compare a group with its ledger and recover it. */
import { MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import { numberOrNull } from '../redis/replies.ts'
import type { Reply } from '../redis/connection.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { groupFailure } from './script-failure.ts'

const examineScript = script('examine')
const recoverGroupScript = script('recover-group')
const recoverUnknownScript = script('recover-unknown')

/** What the comparison of a group with its ledger shows. */
export type GroupCondition =
  /** Where its ledger left it, or gone on in order from there. */
  | 'healthy'
  /** There is no ledger: nothing was settled yet, or everything is lost. Nothing is known. */
  | 'no-ledger'
  /** The stream does not exist. */
  | 'no-stream'
  /** The group does not exist. */
  | 'no-group'
  /** The stream has not got as far as the group had: it was deleted, and somebody made it anew. */
  | 'stream-made-anew'
  /** The group is to process again what is settled: moved back, created again, or a claim was forced. */
  | 'moved-back'
  /** Delivered entries are neither pending nor settled: the group was moved forward, or pending entries were dropped. */
  | 'entries-missing'
  /** A recovery has begun and is not finished. */
  | 'unfinished'

export interface Examined {
  readonly condition: GroupCondition
  /** There is something to recover. */
  readonly isRecoverable: boolean
  /** The greatest id that was ever settled. */
  readonly position: string
  readonly applied: number
  readonly deadLettered: number
  readonly redriven: number
  readonly lastDeliveredId: string
  /** When the ledger began, in milliseconds of the server's clock. */
  readonly since: number
}

/** Compares a group with its ledger. Reads only. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION. */
export async function examine(
  connection: Sender,
  { stream, ledger }: GroupKeys,
  group: string,
): Promise<Examined> {
  const reply = await runScript(connection, examineScript, [stream, ledger], [group])
  const [condition, mode, position, applied, dead, redriven, delivered, since] = checked(
    reply,
    (code) => groupFailure(code, { stream, group }),
  )
  return {
    condition: String(condition) as GroupCondition,
    isRecoverable: mode !== '',
    position: String(position),
    applied: Number(applied),
    deadLettered: Number(dead),
    redriven: Number(redriven),
    lastDeliveredId: String(delivered),
    since: Number(since),
  }
}

export type UnknownStep =
  /** Ids of which it is unknown whether they are settled; `next`: where the next step begins, empty at the end. */
  | { readonly kind: 'step'; readonly next: string; readonly ids: readonly string[] }
  /** There is nothing to recover. */
  | { readonly kind: 'nothing' }

/**
 * A step over the entries of which it is unknown whether they are settled.
 * @throws {MillraceError} CONSUMER_ALIVE, WRONG_TYPE, AUTHENTICATION.
 */
export async function recoverUnknown(
  connection: Sender,
  { stream, deadLetters, ledger, leases, holders }: GroupKeys,
  what: {
    readonly group: string
    /** `write` makes each a dead letter. */
    readonly mode: 'look' | 'write'
    /** Id to go on after, `0-0` at first. */
    readonly after: string
    /** Entries to look at. */
    readonly most: number
    /** Ids that have a dead letter, ascending. */
    readonly lettered: readonly string[]
    /** The id up to which these are all; empty: they are all. */
    readonly letteredUpTo: string
    /** Error of the letters. */
    readonly error: string
    /** Tokens of holders that are known to be dead. */
    readonly deadTokens: readonly string[]
  },
): Promise<UnknownStep> {
  const { group, mode, after, most, lettered, letteredUpTo, error, deadTokens } = what
  const range = [after, letteredUpTo, String(most)]
  const known = [error, JSON.stringify(deadTokens), JSON.stringify(lettered)]
  const reply = await runScript(
    connection,
    recoverUnknownScript,
    [stream, deadLetters, ledger, leases, holders],
    [group, mode, ...range, ...known],
  )
  const [kind, next, ...ids] = unlessAlive(reply, stream, group)
  if (kind !== 'step') return { kind: 'nothing' }
  return { kind, next: String(next), ids: ids.map(String) }
}

export type GroupStep =
  /** `more`: to be called again; `nothing`: there is nothing to recover; `walk`: the unknown entries come first. */
  | { readonly kind: 'more' | 'nothing' | 'walk' }
  | {
      readonly kind: 'done'
      /** Entries that are delivered from now on; null when unknown. */
      readonly undelivered: number | null
      /** Entries that are in no count of the ledger; null when unknown. */
      readonly unaccounted: number | null
    }

/**
 * A step that puts a group where its ledger ends: drops what is pending and must not be, then creates or moves it.
 * @throws {MillraceError} CONSUMER_ALIVE, WRONG_TYPE, AUTHENTICATION.
 */
export async function recoverGroup(
  connection: Sender,
  { stream, ledger, leases, holders, retries, attempts }: GroupKeys,
  what: {
    readonly group: string
    /** Pending entries to drop. */
    readonly most: number
    /** Tokens of holders that are known to be dead. */
    readonly deadTokens: readonly string[]
    /** Undelivered entries, null when unknown; counted up to the id `upTo`. */
    readonly undelivered: number | null
    readonly upTo: string
  },
): Promise<GroupStep> {
  const { group, most, deadTokens, undelivered, upTo } = what
  const counted = [upTo, undelivered === null ? '' : String(undelivered)]
  const reply = await runScript(
    connection,
    recoverGroupScript,
    [stream, ledger, leases, holders, retries, attempts],
    [group, String(most), JSON.stringify(deadTokens), ...counted],
  )
  const [kind, delivered, unaccounted] = unlessAlive(reply, stream, group)
  if (kind === 'more' || kind === 'walk') return { kind }
  if (kind !== 'done') return { kind: 'nothing' }
  return {
    kind,
    undelivered: numberOrNull(delivered),
    unaccounted: numberOrNull(unaccounted),
  }
}

function unlessAlive(reply: Reply[], stream: string, group: string): Reply[] {
  const [kind, ...rest] = checked(reply, (code) => groupFailure(code, { stream, group }))
  if (kind !== 'alive') return reply
  const names = rest.map((name) => `"${String(name)}"`).join(', ')
  throw new MillraceError('CONSUMER_ALIVE', {
    action: `Cannot recover group "${group}" of stream "${stream}"`,
    state: `consumers are alive: ${names}`,
    remedy: 'Stop them first',
  })
}
