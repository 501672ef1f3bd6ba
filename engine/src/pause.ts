/**
 * Pauses of a group or of one consumer: marks beside the leases, which each consumer sees at its next sweep. A paused
 * consumer keeps its lease and its entries; it reads, claims and begins nothing.
 */
import { pauseMark, type GroupKeys } from './keys.ts'
import type { Connection } from './redis/connection.ts'
import { asList } from './redis/scripts.ts'

/** Whom a pause concerns: a consumer by its name, or the group as a whole. */
export type Paused = { readonly consumer: string } | 'group'

/** @throws {MillraceError} WRONG_TYPE, and those of the connection. */
export async function pause(connection: Connection, keys: GroupKeys, who: Paused): Promise<void> {
  await connection.send(['ZADD', keys.leases, String(Date.now()), markOf(who)])
}

/** @returns false when it was not paused. @throws as {@link pause}. */
export async function resume(
  connection: Connection,
  keys: GroupKeys,
  who: Paused,
): Promise<boolean> {
  return (await connection.send(['ZREM', keys.leases, markOf(who)])) === 1
}

/** Whether a consumer is paused, itself or with its group; or the group. @throws as {@link pause}. */
export async function isPaused(
  connection: Connection,
  keys: GroupKeys,
  who: Paused,
): Promise<boolean> {
  const marks = [markOf('group'), markOf(who)]
  const since = asList(await connection.send(['ZMSCORE', keys.leases, ...marks]))
  return since.some((score) => score !== null)
}

const markOf = (who: Paused): string => pauseMark(who === 'group' ? '' : who.consumer)
