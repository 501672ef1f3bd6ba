/** The scripts that read a stream in bounded steps: its entries, their number, where one stands, what waits for its groups. */
import { MillraceError } from '../support/errors.ts'
import { streamLedger } from '../redis/keys.ts'
import {
  asList,
  numberOrNull,
  rawEntries,
  textOrNull,
  textsOf,
  type RawEntry,
} from '../redis/replies.ts'
import type { Reply } from '../redis/connection.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { scriptFailure } from './script-failure.ts'

const readRangeScript = script('read-range')
const countRangeScript = script('count-range')
const entryStateScript = script('entry-state')
const undeliveredScript = script('undelivered')

export interface RangeRead {
  readonly entries: readonly RawEntry[]
  /** The range ends with them. */
  readonly isEnd: boolean
}

/**
 * Reads some entries of a range, at least one if there is one; half a megabyte of them at most, but for one that is larger.
 * A missing stream is empty.
 * @param what.first, what.last as XRANGE or XREVRANGE takes them
 * @param what.action what cannot be done when it fails, as a message begins
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
 */
export async function readRange(
  connection: Sender,
  key: string,
  what: {
    readonly order: 'oldest' | 'newest'
    readonly first: string
    readonly last: string
    readonly most: number
    readonly action: string
  },
): Promise<RangeRead> {
  const { order, first, last, most, action } = what
  const args = [order === 'oldest' ? 'XRANGE' : 'XREVRANGE', first, last, String(most)]
  const reply = await runScript(connection, readRangeScript, [key], args)
  const [, isEnd, entries] = checked(reply, (code) => scriptFailure(action, code))
  return { entries: rawEntries(entries), isEnd: isEnd === 1 }
}

/** Where counting ends although there are more. */
export interface CountBounds {
  readonly most: number
  /** Bytes that the server reads for it, about 4 ms for a megabyte; default: any. */
  readonly bytesMost?: number
}

export interface RangeCount {
  readonly counted: number
  /** False: there may be more. */
  readonly isWhole: boolean
}

// About 1 ms of the server.
const countedAtOnce = 1000

/**
 * Counts the entries between two ids (as XRANGE takes them) up to a bound, in short steps that send no entry.
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION when the user may not read the stream.
 */
export async function countRange(
  connection: Sender,
  stream: string,
  [from, to]: readonly [from: string, to: string],
  { most, bytesMost = Infinity }: CountBounds,
): Promise<RangeCount> {
  let counted = 0
  let start = from
  for (let bytes = 0; counted < most && bytes < bytesMost;) {
    const args = [start, to, String(Math.min(countedAtOnce, most - counted))]
    const reply = await runScript(connection, countRangeScript, [stream], args)
    const action = `Cannot count the entries of "${stream}"`
    const [found, next, read] = checked(reply, (code) => scriptFailure(action, code))
    counted += Number(found)
    bytes += Number(read)
    if (next === '') return { counted, isWhole: true }
    start = `(${String(next)}`
  }
  return { counted, isWhole: false }
}

/** Where an entry stands in a group, as of one moment. `flat`: its names and values in turn. */
export type EntryAnswer =
  /** `waiting`: not delivered yet, or there is no such group. `settled`: acknowledged. */
  | { readonly kind: 'waiting' | 'settled'; readonly flat: readonly string[] }
  | {
      readonly kind: 'pending'
      /** Empty when its body is gone. */
      readonly flat: readonly string[]
      readonly consumer: string
      readonly idleMs: number
      readonly deliveries: number
    }
  | {
      /** The stream has no such entry. */
      readonly kind: 'absent'
      /** Of the stream; null when it is empty. */
      readonly firstId: string | null
      /** The last that it gave. */
      readonly lastId: string
      /** Entries ever appended. */
      readonly appended: number
      readonly length: number
    }

/** Says where an entry stands in a group, which need not exist. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION. */
export async function entryState(
  connection: Sender,
  stream: string,
  { group, id }: { readonly group: string; readonly id: string },
): Promise<EntryAnswer> {
  const reply = await runScript(connection, entryStateScript, [stream], [group, id])
  const action = `Cannot say what became of an entry of "${stream}"`
  const [kind, ...rest] = checked(reply, (code) => scriptFailure(action, code))
  if (kind === 'absent') {
    const [first, last, appended, length] = rest
    const counts = { appended: Number(appended), length: Number(length) }
    return { kind, firstId: textOrNull(first), lastId: String(last), ...counts }
  }
  const [fields, consumer, idle, deliveries] = rest
  const flat = textsOf(fields)
  if (kind !== 'pending') return { kind: kind === 'waiting' ? kind : 'settled', flat }
  const delivery = { idleMs: Number(idle), deliveries: Number(deliveries) }
  return { kind, flat, consumer: String(consumer), ...delivery }
}

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

// About 1 ms of the server.
const countedInScript = 1000
/** Some 10 ms of the server, in steps of 1 or 2 ms: more would take long every second. */
export const countBounds = { most: 10_000, bytesMost: 3_000_000 } as const

/**
 * Looks at all groups, or at one. @throws {MillraceError} NO_STREAM, NO_GROUP, WRONG_TYPE, AUTHENTICATION.
 */
export async function readBacklogs(
  connection: Sender,
  stream: string,
  { group = '', most = countedInScript }: { readonly group?: string; readonly most?: number } = {},
): Promise<Backlogs> {
  const keys = [stream, streamLedger(stream)]
  const reply = await runScript(connection, undeliveredScript, keys, [String(most), group])
  const [, length, atMs, ...groups] = checked(reply, (code) => backlogFailure(code, stream))
  return { length: Number(length), atMs: Number(atMs), groups: groups.map(backlogOf) }
}

function backlogFailure(code: string, stream: string): MillraceError {
  const action = `Cannot tell the lag of stream "${stream}"`
  const remedy = 'Create stream and group first'
  if (code === 'no-stream') {
    return new MillraceError('NO_STREAM', { action, state: 'it does not exist', remedy })
  }
  if (code === 'no-group') {
    return new MillraceError('NO_GROUP', { action, state: 'it has no such group', remedy })
  }
  return scriptFailure(action, code)
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
  connection: Sender,
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
    asList(reply)
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
