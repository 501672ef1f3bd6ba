/**
 * One run of retention: removes from the head of a stream what nobody needs any more. Promise: the script that removes
 * finds out in the same call what is needed, so that no group, however slow, new or paused, is ever overtaken.
 */
import { countRange } from '../scripts/count-range.ts'
import { MillraceError } from '../support/errors.ts'
import { record } from '../scripts/group-info.ts'
import { checkName, groupKeys, streamLedger } from '../redis/keys.ts'
import {
  checkOptions,
  flag,
  integerFrom,
  listOf,
  nonEmpty,
  oneOf,
  anObject,
  required,
  signal,
  text,
  type Rules,
} from '../support/option-values.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { asList, runScript, scripts } from '../scripts/run-script.ts'
import { scriptFailure } from '../scripts/script-failure.ts'

/** A reader without a group, whose position the trimmer respects. */
export interface TrimReader {
  readonly positionKey: string
  /** What it means when the key is missing: the reader will begin at 0 (`hold`, the default), or there is none. */
  readonly ifMissing?: 'hold' | 'ignore'
}

export interface TrimOptions {
  /** The newest entries that stay whatever happened to them, default 0. */
  readonly keepEntries?: number
  /** Entries younger than this (ms, by the server's clock) stay whatever happened to them, default 0. */
  readonly keepMs?: number
  /**
   * Groups that have to be there, default none: of one that was lost, what it had not settled for certain stays until it is
   * recovered. Those that are there are respected without being named.
   */
  readonly groups?: readonly string[]
  /** Readers without a group; the server does not know them, so name all of them. Default: none. */
  readonly readers?: readonly TrimReader[]
  /** Explains what would be removed and removes nothing, default false. */
  readonly dryRun?: boolean
  /** Entries that one script call removes at most, 1 to 10,000, default 10,000: about 0.05 ms of the server for small entries. */
  readonly batch?: number
  /** Ends the run between two script calls. */
  readonly signal?: AbortSignal
}

/** Who holds the frontier: the entry with this id is the first that stays for it. */
export type FrontierHolder =
  | {
      /** It is pending there: delivered, not acknowledged. */
      readonly kind: 'pending'
      readonly group: string
      readonly id: string
      readonly consumer: string
      /** Since its last delivery or renewal. */
      readonly idleMs: number
      readonly deliveries: number
    }
  /** Nothing before it is pending; what comes after it is undelivered. */
  | { readonly kind: 'last-delivered'; readonly group: string; readonly id: string }
  /** It is not there any more; from the entry with this id on it is not certain what it had settled. Recover it. */
  | { readonly kind: 'lost'; readonly group: string; readonly id: string }
  /** After the entry with this id, or at it, entries were delivered that are neither pending nor settled. Recover the group. */
  | { readonly kind: 'unaccounted'; readonly group: string; readonly id: string }
  /** A reader without a group is there; `0-0` when it has not begun. */
  | { readonly kind: 'position'; readonly positionKey: string; readonly id: string }

interface Found {
  /** Entries with a smaller id are needed by no group and no reader. */
  readonly frontier: string
  readonly holder: FrontierHolder
  /** The frontier, or the id at which the reserve by age begins if that is smaller. */
  readonly cut: string
}

/** What a run did or, with `dryRun`, would do. */
export type TrimOutcome =
  | (Found & {
      readonly kind: 'trimmed'
      readonly removed: number
      /** Entries in the stream afterwards. */
      readonly remaining: number
      /** Script calls that it took. */
      readonly calls: number
    })
  | (Found & {
      readonly kind: 'explained'
      /** Entries that would go. Counting ends at 100,000: then it is at least this. */
      readonly removable: number
      readonly isExact: boolean
      /** Entries in the stream now. */
      readonly length: number
    })
  /** The stream has neither a group nor a reader: nothing says what is still needed, so nothing is removed. */
  | { readonly kind: 'unread' }

const batchMost = 10_000
export const trimRules: Rules<TrimOptions> = {
  keepEntries: integerFrom(0),
  keepMs: integerFrom(0),
  groups: listOf(text),
  readers: listOf(anObject),
  dryRun: flag,
  batch: integerFrom(1, batchMost),
  signal,
}
const readerRules: Rules<TrimReader> = {
  positionKey: required(nonEmpty),
  ifMissing: oneOf('hold', 'ignore'),
}
const countedMost = 100_000

/** Use {@link Millrace.trim}. */
export async function trim(
  connection: Connection,
  stream: string,
  options: TrimOptions,
): Promise<TrimOutcome> {
  checkOptions(`trim stream "${stream}"`, options, trimRules)
  checkHolders(options)
  const { dryRun = false, batch = batchMost } = options
  const ask = scriptCall(connection, stream, options)
  if (dryRun) return await explain(connection, stream, options, await ask(0))
  let removed = 0
  for (let calls = 1; ; calls += 1) {
    const step = await ask(batch)
    if (step.kind === 'unread') return step
    const { isMore, length: remaining, ...found } = step
    removed += step.removed
    if (!isMore || options.signal?.aborted === true) {
      return { ...found, kind: 'trimmed', removed, remaining, calls }
    }
  }
}

/** What is in the lists. @throws {TypeError} or {RangeError} naming the group or the part of a reader that cannot be used. */
export function checkHolders({ groups = [], readers = [] }: TrimOptions): void {
  for (const group of groups) checkName('group', group)
  for (const reader of readers) checkOptions('respect a reader', reader, readerRules)
}

/** What one script call answered. */
type Step =
  | { readonly kind: 'unread' }
  | (Found & {
      readonly kind: 'step'
      readonly removed: number
      readonly length: number
      readonly isMore: boolean
    })

function scriptCall(
  connection: Connection,
  stream: string,
  { keepEntries = 0, keepMs = 0, groups = [], readers = [] }: TrimOptions,
): (batch: number) => Promise<Step> {
  const reserve = [String(keepEntries), keepMs === 0 ? '' : String(keepMs)]
  const positions = readers.map(({ positionKey }) => positionKey)
  const ifMissing = readers.map((reader) => reader.ifMissing ?? 'hold')
  let names: readonly string[] | undefined
  return async (batch) => {
    for (;;) {
      // Why they cannot be had, the script says better.
      names ??= await groupNames(connection, stream, groups).catch(() => groups)
      const ledgers = names.map((name) => groupKeys(stream, name).ledger)
      const keys = [stream, streamLedger(stream), ...ledgers, ...positions]
      const args = [String(batch), ...reserve, String(names.length), ...names, ...ifMissing]
      const reply = await runScript(connection, scripts.trim, keys, args)
      if (reply[0] !== 'unnamed') return stepOf(reply, stream)
      names = undefined
    }
  }
}

/** All that are there, and those that have to be. */
async function groupNames(
  connection: Connection,
  stream: string,
  wanted: readonly string[],
): Promise<string[]> {
  const groups = asList(await connection.send(['XINFO', 'GROUPS', stream]))
  return [...new Set([...wanted, ...groups.map((group) => String(record(group).name))])]
}

function stepOf(reply: Reply[], stream: string): Step {
  const [kind, removed, length, isMore, frontier, holder, cut] = reply
  if (kind === 'error') throw problem(String(removed), stream)
  if (kind === 'unread') return { kind }
  return {
    kind: 'step',
    removed: Number(removed),
    length: Number(length),
    isMore: isMore === 1,
    frontier: String(frontier),
    holder: holderOf(asList(holder ?? null)),
    cut: String(cut),
  }
}

function holderOf([kind, name, id, ...rest]: Reply[]): FrontierHolder {
  const held = { id: String(id) }
  if (kind === 'position') return { kind, positionKey: String(name), ...held }
  const group = String(name)
  if (kind === 'lost' || kind === 'unaccounted') return { kind, group, ...held }
  if (kind !== 'pending') return { kind: 'last-delivered', group, ...held }
  const [consumer, idleMs, deliveries] = rest
  return {
    kind,
    group,
    ...held,
    consumer: String(consumer),
    idleMs: Number(idleMs),
    deliveries: Number(deliveries),
  }
}

async function explain(
  connection: Connection,
  stream: string,
  { keepEntries = 0 }: TrimOptions,
  step: Step,
): Promise<TrimOutcome> {
  if (step.kind === 'unread') return step
  const { frontier, holder, cut, length } = step
  const most = Math.min(countedMost, Math.max(0, length - keepEntries))
  const removable = cut === '0-0' ? 0 : await countBefore(connection, stream, cut, most)
  const isExact = removable < countedMost
  return { kind: 'explained', frontier, holder, cut, removable, isExact, length }
}

async function countBefore(
  connection: Connection,
  stream: string,
  id: string,
  most: number,
): Promise<number> {
  return (await countRange(connection, stream, ['-', `(${id}`], { most })).counted
}

function problem(code: string, stream: string): MillraceError {
  const action = `Cannot trim stream "${stream}"`
  switch (code) {
    case 'no-stream':
      return new MillraceError('NO_STREAM', { action, state: 'it does not exist' })
    case 'wrong-position':
      return new MillraceError('WRONG_TYPE', {
        action,
        state: 'the position of a reader is no entry id',
        remedy: 'Name the key that the reader keeps',
      })
    case 'wrong-type':
      return new MillraceError('WRONG_TYPE', {
        action,
        state: 'it, its ledger or the position of a reader is a key of another type',
        remedy: 'Move that key away or use another one',
      })
    default:
      return scriptFailure(action, code) ?? new MillraceError('REFUSED', `${action}: ${code}`)
  }
}
