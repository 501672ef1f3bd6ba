/** How many entries groups have not been delivered: proven, counted within a bound, or else told by the server. */
import { countRange } from './count-range.ts'
import { MillraceError, type MillraceErrorCode } from '../support/errors.ts'
import { streamLedger } from '../redis/keys.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { runScript, scripts } from './run-script.ts'

/** What waits for a group. */
export interface GroupBacklog {
  readonly name: string
  readonly pending: number
  /** Null: to be counted, and too many to be counted at once. */
  readonly undelivered: number | null
  readonly lastDeliveredId: string
  /** What the server says; null when it cannot tell. */
  readonly serverLag: number | null
  /** Null when nothing is undelivered, and where all groups are looked at. */
  readonly oldestUndeliveredId: string | null
  /** Null when nothing is pending. */
  readonly oldestPendingId: string | null
}

/** What waits for the groups of a stream, at one moment. */
export interface Backlogs {
  readonly length: number
  /** That moment, in milliseconds of the server's clock. */
  readonly atMs: number
  readonly groups: readonly GroupBacklog[]
}

type Asked = Pick<Connection, 'send'>

// About 1 ms of the server.
const countedInScript = 1000
/** Some 10 ms of the server, in steps of 1 or 2 ms: more would take long every second. */
export const countBounds = { most: 10_000, bytesMost: 3_000_000 } as const

/**
 * Looks at all groups, or at one. @throws {MillraceError} NO_STREAM, NO_GROUP, WRONG_TYPE, AUTHENTICATION.
 */
export async function readBacklogs(
  connection: Asked,
  stream: string,
  { group = '', most = countedInScript }: { readonly group?: string; readonly most?: number } = {},
): Promise<Backlogs> {
  const place = [stream, streamLedger(stream)]
  const reply = await runScript(connection, scripts.undelivered, place, [String(most), group])
  const [kind, length, atMs, ...groups] = reply
  if (kind === 'error') {
    const code = codes[String(length)] ?? 'AUTHENTICATION'
    throw new MillraceError(code, `Cannot tell the lag of stream "${stream}": ${String(length)}`)
  }
  return { length: Number(length), atMs: Number(atMs), groups: groups.map(backlogOf) }
}

const codes: Readonly<Record<string, MillraceErrorCode>> = {
  'no-stream': 'NO_STREAM',
  'no-group': 'NO_GROUP',
  'wrong-type': 'WRONG_TYPE',
}

/** How much waits for a group, as far as that can be told. */
export interface Undelivered {
  /** Null when nobody can tell. */
  readonly known: number | null
  /** There are at least so many. */
  readonly least: number
}

/**
 * Entries that a group has not been delivered. Where others have trimmed or deleted some, up to 10,000 are counted after
 * the last delivered one and up to 10,000 before it, or 3 MB of them; where there are more, it is what the server says,
 * within what can be. Unknown when the server cannot tell either.
 */
export async function undeliveredOf(
  connection: Asked,
  stream: string,
  { length }: Pick<Backlogs, 'length'>,
  { undelivered, lastDeliveredId, serverLag }: GroupBacklog,
): Promise<Undelivered> {
  if (undelivered !== null) return exactly(undelivered)
  const after = await countRange(connection, stream, [`(${lastDeliveredId}`, '+'], countBounds)
  if (after.isWhole) return exactly(after.counted)
  const before = await countRange(connection, stream, ['-', lastDeliveredId], countBounds)
  const others = length - before.counted
  if (before.isWhole) return exactly(Math.max(after.counted, others))
  if (serverLag === null) return { known: null, least: after.counted }
  return exactly(Math.max(after.counted, Math.min(serverLag, others)))
}

const exactly = (count: number): Undelivered => ({ known: count, least: count })

function backlogOf(reply: Reply): GroupBacklog {
  const [name, pending, undelivered, delivered, lag, oldestUndelivered, oldestPending] =
    Array.isArray(reply) ? reply : []
  return {
    name: String(name),
    pending: Number(pending),
    undelivered: numberOrNull(undelivered),
    lastDeliveredId: String(delivered),
    serverLag: numberOrNull(lag),
    oldestUndeliveredId: textOrNull(oldestUndelivered),
    oldestPendingId: textOrNull(oldestPending),
  }
}

const numberOrNull = (reply: Reply | undefined): number | null =>
  typeof reply === 'number' ? reply : null

const textOrNull = (reply: Reply | undefined): string | null =>
  typeof reply === 'string' && reply !== '' ? reply : null
