/**
 * Recovers a group that was lost or moved under its consumers, from its ledger. Promise: no entry takes effect twice by
 * it; what nobody can know is said, and left to the operator as dead letters `unknown`.
 */
import type { DeadLetters } from './dead-letters.ts'
import { compareIds, isEntryId } from '../support/entry-id.ts'
import type { GroupKeys } from '../redis/keys.ts'
import { holderOf } from '../consume/lease.ts'
import { isGone } from '../support/process-identity.ts'
import type { Connection } from '../redis/connection.ts'
import { asList } from '../redis/replies.ts'
import { countRange, type RangeCount } from '../scripts/reading.ts'
import {
  examine,
  recoverGroup,
  recoverUnknown,
  type Examined,
  type GroupCondition,
} from '../scripts/recovery.ts'

/** What a recovery would do, or did. Writes nothing by itself. */
export interface RecoveryPlan {
  readonly condition: GroupCondition
  /** The greatest id that was ever settled, where delivery goes on; where the group began when nothing was. */
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

async function examineGroup({ connection, keys, group }: RecoveryParts): Promise<Examined> {
  return await examine(connection, keys, group)
}

/** What {@link recover} would do. Reads only. @throws {MillraceError} WRONG_TYPE. */
export async function planRecovery(parts: RecoveryParts): Promise<RecoveryPlan> {
  const { isRecoverable, since, redriven, ...examined } = await examineGroup(parts)
  const found = { ...examined, deadLettered: examined.deadLettered - redriven }
  const nothing = { toDeliver: 0, isToDeliverExact: true, unknown: 0, firstUnknownIds: [] }
  if (!isRecoverable) return { ...found, ...nothing }
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
  const { condition, position, isRecoverable, since } = await examineGroup(parts)
  const nothing = { condition, position, lettersWritten: 0, toDeliver: null, unaccounted: null }
  if (!isRecoverable) return nothing
  let lettersWritten = 0
  for await (const ids of unknownIds(parts, 'write', since)) lettersWritten += ids.length
  const newest = await newestId(parts)
  const last = compareIds(newest, position) > 0 ? newest : position
  const { counted, isWhole } = await countAfter(parts, position, last)
  const { connection, keys, group } = parts
  const known = { group, most: stepMax, undelivered: isWhole ? counted : null, upTo: last }
  for (;;) {
    const what = { ...known, deadTokens: await deadTokens(parts) }
    const step = await recoverGroup(connection, keys, what)
    if (step.kind === 'more') continue
    // Somebody else recovers it at the same time, and was quicker.
    if (step.kind !== 'done') return { ...nothing, lettersWritten }
    const { undelivered: toDeliver, unaccounted } = step
    return { condition, position, lettersWritten, toDeliver, unaccounted }
  }
}

/** The ids of which it is unknown whether they are settled, in steps; `write` makes each a dead letter. */
async function* unknownIds(
  parts: RecoveryParts,
  mode: 'look' | 'write',
  since: number,
): AsyncGenerator<string[]> {
  const { connection, keys, group } = parts
  const letters = await entryIdsOfLetters(parts, since)
  let from = 0
  for (let after = '0-0'; after !== '';) {
    while (from < letters.length && compareIds(letters[from] ?? '', after) <= 0) from += 1
    const lettered = letters.slice(from, from + lettersMax)
    const isComplete = from + lettersMax >= letters.length
    const letteredUpTo = isComplete ? '' : (lettered.at(-1) ?? '')
    const known = { lettered, letteredUpTo, error: unknownText }
    const what = {
      group,
      mode,
      after,
      most: stepMax,
      ...known,
      deadTokens: await deadTokens(parts),
    }
    const step = await recoverUnknown(connection, keys, what)
    if (step.kind !== 'step') return
    yield [...step.ids]
    after = step.next
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
async function deadTokens({ connection, keys }: RecoveryParts): Promise<string[]> {
  const flat = asList(await connection.send(['HGETALL', keys.holders])).map(String)
  const holders = flat.filter((_, at) => at % 2 === 1).map(holderOf)
  return holders.filter(isGone).map(({ token }) => token)
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
