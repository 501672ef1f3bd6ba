/**
 * One run of retention: removes from the head of a stream what nobody needs any more. Promise: the script that removes
 * finds out in the same call what is needed, so that no group, however slow, new or paused, is ever overtaken.
 */
import { checkName } from '../redis/keys.ts'
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
import type { Connection } from '../redis/connection.ts'
import { record, asList } from '../redis/replies.ts'
import { countRange } from '../scripts/reading.ts'
import { trim as trimStep, type Frontier, type TrimStep } from '../scripts/trim.ts'

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

/** What a run did or, with `dryRun`, would do. */
export type TrimOutcome =
  | (Frontier & {
      readonly kind: 'trimmed'
      readonly removed: number
      /** Entries in the stream afterwards. */
      readonly remaining: number
      /** Script calls that it took. */
      readonly calls: number
    })
  | (Frontier & {
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

type Step = Exclude<TrimStep, { kind: 'unnamed' }>

function scriptCall(
  connection: Connection,
  stream: string,
  { keepEntries = 0, keepMs = 0, groups = [], readers = [] }: TrimOptions,
): (batch: number) => Promise<Step> {
  const positions = readers.map(({ positionKey: key, ifMissing = 'hold' }) => ({ key, ifMissing }))
  let names: readonly string[] | undefined
  return async (batch) => {
    for (;;) {
      // Why they cannot be had, the script says better.
      names ??= await groupNames(connection, stream, groups).catch(() => groups)
      const what = { batch, keepEntries, keepMs, groups: names, positions }
      const step = await trimStep(connection, stream, what)
      if (step.kind !== 'unnamed') return step
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
