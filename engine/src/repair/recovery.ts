/**
 * Recovers a group that was lost or moved under its consumers, from its ledger. Promise: no entry takes effect twice by
 * it; what nobody can know is said, and left to the operator as dead letters `unknown`.
 */
import { countRange, type RangeCount } from '../scripts/count-range.ts'
import type { DeadLetters } from './dead-letters.ts'
import { problem } from '../apply/gate.ts'
import { compareIds, isEntryId } from '../support/entry-id.ts'
import { MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import { holderOf } from '../consume/lease.ts'
import { isGone } from '../support/process-identity.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { asList, runScript, scripts } from '../scripts/run-script.ts'

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

/** What a recovery would do, or did. Writes nothing by itself. */
export interface RecoveryPlan {
  readonly condition: GroupCondition
  /** The greatest id that was ever settled, where delivery goes on; the begin of the group when nothing was. */
  readonly position: string
  /** The group's last delivered id now; `0-0` without a group. */
  readonly lastDeliveredId: string
  /** Entries that are certainly settled, as the ledger counts: they took effect, or are or were dead letters. */
  readonly applied: number
  readonly deadLettered: number
  /** Entries after the position: certainly never settled, to be delivered. */
  readonly toDeliver: number
  /** False: there are at least so many. */
  readonly isToDeliverExact: boolean
  /** Entries of which nobody can know: settled, or pending when the group was lost. Each becomes a dead letter. */
  readonly unknown: number
  /** The first of them. */
  readonly firstUnknownIds: readonly string[]
}

export interface RecoveryOutcome {
  /** What was found at the beginning. */
  readonly condition: GroupCondition
  readonly position: string
  /** Dead letters `unknown` that were written by this call. */
  readonly lettersWritten: number
  /** Entries that are delivered from now on; null when they are too many to be counted. */
  readonly toDeliver: number | null
  /**
   * Entries that are in no count of the ledger: their content was trimmed or deleted, so they are neither delivered nor
   * dead letters. The ledger counts them as skipped from now on. Null when that cannot be told.
   */
  readonly unaccounted: number | null
}

interface Found extends Omit<RecoveryPlan, 'toDeliver' | 'isToDeliverExact' | 'unknown'> {
  readonly hasMode: boolean
  readonly since: number
}

export interface RecoveryParts {
  readonly connection: Connection
  readonly keys: GroupKeys
  readonly group: string
  readonly deadLetters: Pick<DeadLetters, 'list'>
}

const countedMost = 1_000_000
// Entries and letters a call: about 2 ms of the server, while nothing else works on the group.
const stepMax = 200
const lettersMax = 500
const shownMax = 5
const unknownText =
  'the group was lost while this entry was pending or had just been processed: nobody can know whether it took effect'

/** Compares the group with its ledger. Reads only. @throws {MillraceError} WRONG_TYPE. */
async function examine(parts: RecoveryParts): Promise<Found> {
  const { connection, keys, group } = parts
  const place = [keys.stream, keys.ledger]
  const reply = checked(parts, await runScript(connection, scripts.examine, place, [group]))
  const [condition, mode, position, applied, dead, redriven, delivered, since] = reply
  return {
    condition: String(condition) as GroupCondition,
    hasMode: mode !== '',
    position: String(position),
    lastDeliveredId: String(delivered),
    applied: Number(applied),
    deadLettered: Number(dead) - Number(redriven),
    firstUnknownIds: [],
    since: Number(since),
  }
}

/** What {@link recover} would do. Reads only. @throws {MillraceError} WRONG_TYPE. */
export async function planRecovery(parts: RecoveryParts): Promise<RecoveryPlan> {
  const { hasMode, since, ...found } = await examine(parts)
  const nothing = { toDeliver: 0, isToDeliverExact: true, unknown: 0 }
  if (!hasMode) return { ...found, ...nothing }
  const firstUnknownIds: string[] = []
  let unknown = 0
  for await (const ids of unknownIds(parts, 'look', since)) {
    unknown += ids.length
    firstUnknownIds.push(...ids.slice(0, shownMax - firstUnknownIds.length))
  }
  const { counted, isWhole } = await countAfter(parts, found.position, '+')
  const toDeliver = { toDeliver: counted, isToDeliverExact: isWhole }
  return { ...found, ...toDeliver, unknown, firstUnknownIds }
}

/**
 * Recovers the group; safe to be broken off and called again.
 * @throws {MillraceError} CONSUMER_ALIVE, WRONG_TYPE, AUTHENTICATION.
 */
export async function recover(parts: RecoveryParts): Promise<RecoveryOutcome> {
  const { condition, position, hasMode, since } = await examine(parts)
  const nothing = { condition, position, lettersWritten: 0, toDeliver: null, unaccounted: null }
  if (!hasMode) return nothing
  let lettersWritten = 0
  for await (const ids of unknownIds(parts, 'write', since)) lettersWritten += ids.length
  const newest = await newestId(parts)
  const last = compareIds(newest, position) > 0 ? newest : position
  const { counted, isWhole } = await countAfter(parts, position, last)
  const { connection, keys, group } = parts
  const { stream, ledger, leases, holders, retries, attempts } = keys
  const place = [stream, ledger, leases, holders, retries, attempts]
  const known = [last, isWhole ? String(counted) : '']
  for (;;) {
    const args = [group, String(stepMax), await deadTokens(parts), ...known]
    const reply = checked(parts, await runScript(connection, scripts.recoverGroup, place, args))
    const [kind, toDeliver, unaccounted] = reply
    if (kind === 'more') continue
    // Somebody else recovers it at the same time, and was quicker.
    if (kind !== 'done') return { ...nothing, lettersWritten }
    return {
      condition,
      position,
      lettersWritten,
      toDeliver: numberOrNull(toDeliver),
      unaccounted: numberOrNull(unaccounted),
    }
  }
}

/** The ids of which it is unknown whether they are settled, in steps; `write` makes each a dead letter. */
async function* unknownIds(
  parts: RecoveryParts,
  mode: 'look' | 'write',
  since: number,
): AsyncGenerator<string[]> {
  const { connection, keys, group } = parts
  const { stream, deadLetters, ledger, leases, holders } = keys
  const letters = await entryIdsOfLetters(parts, since)
  let from = 0
  for (let after = '0-0'; after !== '';) {
    while (from < letters.length && compareIds(letters[from] ?? '', after) <= 0) from += 1
    const some = letters.slice(from, from + lettersMax)
    const isComplete = from + lettersMax >= letters.length
    const range = [after, isComplete ? '' : (some.at(-1) ?? ''), String(stepMax)]
    const known = [unknownText, await deadTokens(parts), JSON.stringify(some)]
    const place = [stream, deadLetters, ledger, leases, holders]
    const args = [group, mode, ...range, ...known]
    const reply = checked(parts, await runScript(connection, scripts.recoverUnknown, place, args))
    const [kind, next, ...ids] = reply
    if (kind !== 'step') return
    yield ids.map(String)
    after = String(next)
  }
}

/** Ids of entries that have a dead letter of this ledger, ascending. */
async function entryIdsOfLetters({ deadLetters }: RecoveryParts, since: number): Promise<string[]> {
  const ids = new Set<string>()
  let from: string | null | undefined
  do {
    const page = await deadLetters.list({ order: 'oldest', count: 1000, ...(from ? { from } : {}) })
    for (const { entryId, time } of page.letters) if (time >= since) ids.add(entryId)
    from = page.next
  } while (from !== null)
  return [...ids].filter(isEntryId).sort(compareIds)
}

/** Holders of this machine whose process is gone: their leases need not be waited for. */
async function deadTokens({ connection, keys }: RecoveryParts): Promise<string> {
  const flat = asList(await connection.send(['HGETALL', keys.holders])).map(String)
  const holders = flat.filter((_, at) => at % 2 === 1).map(holderOf)
  return JSON.stringify(holders.filter(isGone).map(({ token }) => token))
}

async function newestId({ connection, keys }: RecoveryParts): Promise<string> {
  const newest = asList(
    await connection.send(['XREVRANGE', keys.stream, '+', '-', 'COUNT', '1']),
  )[0]
  return newest === undefined ? '0-0' : String(asList(newest)[0])
}

async function countAfter(parts: RecoveryParts, id: string, to: string): Promise<RangeCount> {
  const bounds = { most: countedMost }
  return await countRange(parts.connection, parts.keys.stream, [`(${id}`, to], bounds)
}

function checked({ keys, group }: RecoveryParts, reply: Reply[]): Reply[] {
  const [kind, ...rest] = reply
  if (kind === 'error') throw problem(String(rest[0]), { stream: keys.stream, group })
  if (kind !== 'alive') return reply
  const names = rest.map((name) => `"${String(name)}"`).join(', ')
  throw new MillraceError('CONSUMER_ALIVE', {
    action: `Cannot recover group "${group}" of stream "${keys.stream}"`,
    state: `consumers are alive: ${names}`,
    remedy: 'Stop them first',
  })
}

const numberOrNull = (reply: Reply | undefined): number | null =>
  typeof reply === 'number' ? reply : null
