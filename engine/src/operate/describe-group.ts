import { ageOf } from '../support/entry-id.ts'
import { MillraceError, missingGroup } from '../support/errors.ts'
import { groupKeys } from '../redis/keys.ts'
import type { Connection } from '../redis/connection.ts'
import { readBacklogs, undeliveredOf } from '../scripts/reading.ts'
import {
  asList,
  consumerOf,
  numberOrNull,
  record,
  textOrNull,
  type ConsumerDescription,
} from '../redis/replies.ts'

/** What XINFO GROUPS, XINFO CONSUMERS and XPENDING say about a group, at one moment. */
export interface GroupDescription {
  readonly stream: string
  readonly name: string
  /** Entries in the stream. */
  readonly streamLength: number
  /** Entries that are delivered and not acknowledged. */
  readonly pending: number
  /** Id of the oldest pending entry; null when nothing is pending. */
  readonly oldestPendingId: string | null
  /** Id of the newest pending entry; null when nothing is pending. */
  readonly newestPendingId: string | null
  readonly lastDeliveredId: string
  /** Entries ever delivered; null when the server cannot tell. */
  readonly entriesRead: number | null
  /**
   * Entries not yet delivered. Where others than the trimmer have removed entries, the server's number may be wrong, so they
   * are counted: up to 10,000 of them, or of those before. Beyond, it is the server's number; null when it has none.
   */
  readonly lag: number | null
  /** Milliseconds since the oldest undelivered entry was appended, by its id; null without one, or when its id tells no time. */
  readonly oldestUndeliveredMs: number | null
  /** Milliseconds since the oldest pending entry was appended, likewise. */
  readonly oldestPendingMs: number | null
  readonly consumers: readonly ConsumerDescription[]
  /** The dead-letter stream of the group. */
  readonly deadLetterStream: string
  /** Dead letters in it. */
  readonly deadLetters: number
}

/** Use {@link Group.describe}. */
export async function describeGroup(
  connection: Connection,
  key: string,
  name: string,
): Promise<GroupDescription> {
  const deadLetterStream = groupKeys(key, name).deadLetters
  try {
    const [groups, length, deadLetters, consumers, pending, backlogs] = await Promise.all([
      connection.send(['XINFO', 'GROUPS', key]),
      connection.send(['XLEN', key]),
      connection.send(['XLEN', deadLetterStream]),
      connection.send(['XINFO', 'CONSUMERS', key, name]),
      connection.send(['XPENDING', key, name]),
      readBacklogs(connection, key, { group: name }),
    ])
    const group = asList(groups)
      .map(record)
      .find((one) => one.name === name)
    const [backlog] = backlogs.groups
    if (group === undefined || backlog === undefined) throw missingGroup(key, name)
    const [, oldest, newest] = asList(pending)
    return {
      stream: key,
      name,
      streamLength: Number(length),
      pending: Number(group.pending),
      oldestPendingId: textOrNull(oldest),
      newestPendingId: textOrNull(newest),
      lastDeliveredId: String(group['last-delivered-id']),
      entriesRead: numberOrNull(group['entries-read']),
      lag: (await undeliveredOf(connection, key, backlogs, backlog)).known,
      oldestUndeliveredMs: ageOrNull(backlog.oldestUndeliveredId, backlogs.atMs),
      oldestPendingMs: ageOrNull(backlog.oldestPendingId, backlogs.atMs),
      consumers: asList(consumers).map(consumerOf),
      deadLetterStream,
      deadLetters: Number(deadLetters),
    }
  } catch (error) {
    throw explained(error, `Cannot describe group "${name}" of stream "${key}"`)
  }
}

const known: Partial<Record<MillraceError['code'], readonly [state: string, remedy: string]>> = {
  NO_STREAM: ['the stream does not exist', 'Create stream and group first'],
  NO_GROUP: ['the group does not exist', 'Create it first'],
  WRONG_TYPE: ['the key holds another type', 'Move that key away or use another one'],
}

/** Says what failed and what to do, keeping the code. */
function explained(error: unknown, action: string): unknown {
  if (!(error instanceof MillraceError)) return error
  const [state, remedy] = known[error.code] ?? [error.state ?? error.message, error.remedy]
  return new MillraceError(error.code, { action, state, remedy }, { cause: error })
}

const ageOrNull = (id: string | null, nowMs: number): number | null =>
  id === null ? null : ageOf(id, nowMs)

/** Whether nothing is pending, and everything that was appended so far has been delivered. @throws {MillraceError} NO_STREAM, NO_GROUP, WRONG_TYPE. */
export async function isDrained(
  connection: Connection,
  key: string,
  group: string,
): Promise<boolean> {
  try {
    const { groups } = await readBacklogs(connection, key, { group, most: 1 })
    return groups.every(({ pending, oldestUndeliveredId: oldest }) => {
      return pending === 0 && oldest === null
    })
  } catch (error) {
    throw explained(error, `Cannot tell whether group "${group}" of stream "${key}" is drained`)
  }
}
