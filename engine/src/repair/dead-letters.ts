/**
 * The dead letters of a group: looks at them, sends them back, removes them. Promise: a letter is redriven at most once,
 * to its own group, and is there until then; whoever else redrives or purges at the same time.
 */
import { deadLetter, type DeadLetter } from '../apply/dead-letter.ts'
import {
  idList,
  listOptions,
  redriveOptions,
  selected,
  settleOptions,
  type DeadLetterListOptions,
  type DeadLetterSelection,
  type PurgeOutcome,
  type RedriveOptions,
  type RedriveOutcome,
  type SettleOptions,
} from './dead-letter-options.ts'
import { sizeOf } from '../redis/entry-sizes.ts'
import { MillraceError } from '../support/errors.ts'
import { groupKeys, type GroupKeys } from '../redis/keys.ts'
import { callback, checkOptions, checkValue } from '../support/option-values.ts'
import { wait } from '../support/persist.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { asList, rawEntry } from '../redis/replies.ts'
import * as scripts from '../scripts/dead-letters.ts'
import { readRange } from '../scripts/reading.ts'

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[]
  /** For `from` of the next page; null when there is none. */
  readonly next: string | null
}

// Letters a read. Each read is bounded in bytes, too.
const pageMax = 100
// Of the letters of a list: they stay in memory together.
const listBytesMax = 16_000_000
// Any consumer may claim what is idle for so long.
const claimableMs = 2 ** 31
const neverAborted = new AbortController().signal

export class DeadLetters {
  readonly #connection: Connection
  readonly #keys: GroupKeys
  readonly #group: string

  /** Use {@link Group.deadLetters}. */
  constructor(connection: Connection, stream: string, group: string) {
    this.#connection = connection
    this.#keys = groupKeys(stream, group)
    this.#group = group
  }

  /** The key of the dead-letter stream. It need not exist. */
  get key(): string {
    return this.#keys.deadLetters
  }

  /** One page. @throws {RangeError} or {TypeError} when an option is wrong. @throws {MillraceError} WRONG_TYPE. */
  async list(options: DeadLetterListOptions = {}): Promise<DeadLetterPage> {
    checkOptions('list dead letters', options, listOptions)
    const { order = 'newest', from, count = 100, reason } = options
    const letters: DeadLetter[] = []
    let bytes = 0
    for await (const letter of this.#walk({ order, after: from, atOnce: count + 1 })) {
      if (reason !== undefined && letter.reason !== reason) continue
      // One more than asked for says that there is a next page.
      const isFull = letters.length === count || bytes >= listBytesMax
      if (isFull) return { letters, next: letters.at(-1)?.letterId ?? null }
      letters.push(letter)
      bytes += sizeOf(letter.fields.flat())
    }
    return { letters, next: null }
  }

  /**
   * The letters with one of these ids, each the id of a letter or of an entry. Reads the whole dead-letter stream.
   * @throws {RangeError} when an id is none. @throws {MillraceError} WRONG_TYPE.
   */
  async find(...ids: readonly string[]): Promise<DeadLetter[]> {
    checkValue('find dead letters', 'the list of ids', ids, idList)
    const wanted = new Set(ids)
    const found: DeadLetter[] = []
    for await (const letter of this.#walk({ order: 'oldest' })) {
      if (wanted.has(letter.letterId) || wanted.has(letter.entryId)) found.push(letter)
    }
    return found
  }

  /**
   * How many letters are selected.
   * @param onMissing told for each id that selects none.
   * @throws as {@link DeadLetters.find}.
   */
  async count(
    selection: DeadLetterSelection,
    onMissing?: (id: string, outcome: 'gone' | 'ambiguous') => void,
  ): Promise<number> {
    checkValue('count dead letters', 'onMissing', onMissing, callback)
    let count = 0
    for await (const picked of this.#pages(selection, (...missing) => onMissing?.(...missing))) {
      count += picked.length
    }
    return count
  }

  /**
   * Sends letters back to this group: each entry is pending again under its id, and the next consumer that sweeps takes it.
   * One script call for each, so it may be broken off and asked again. A letter that comes meanwhile is not selected, so
   * an entry that fails once more is not tried in a circle.
   * @returns how many letters had which outcome.
   * @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION; those of the connection: what was redriven stays so.
   */
  async redrive(
    selection: DeadLetterSelection,
    options: RedriveOptions = {},
  ): Promise<Record<RedriveOutcome, number>> {
    checkOptions('redrive dead letters', options, redriveOptions)
    const { ratePerSecond = Infinity, signal = neverAborted, onOutcome } = options
    const total = {
      redriven: 0,
      gone: 0,
      ambiguous: 0,
      'body-gone': 0,
      mismatch: 0,
      undelivered: 0,
      older: 0,
    }
    const settle = (id: string, outcome: RedriveOutcome): void => {
      total[outcome] += 1
      onOutcome?.(id, outcome)
    }
    const atOnce = ratePerSecond === Infinity ? pageMax : 1
    const startedAt = performance.now()
    let begun = 0
    for await (const picked of this.#pages(selection, settle)) {
      for (let at = 0; at < picked.length; at += atOnce) {
        const dueAt = startedAt + (begun / ratePerSecond) * 1000
        await wait(Math.max(0, dueAt - performance.now()), signal)
        if (signal.aborted) return total
        const some = picked.slice(at, at + atOnce)
        begun += some.length
        await Promise.all(some.map(async (id) => settle(id, await this.#redriveOne(id))))
      }
    }
    return total
  }

  /**
   * Deletes letters. What they were about is then forgotten.
   * @returns how many letters had which outcome.
   * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION, and those of the connection.
   */
  async purge(
    selection: DeadLetterSelection,
    options: SettleOptions<PurgeOutcome> = {},
  ): Promise<Record<PurgeOutcome, number>> {
    checkOptions('purge dead letters', options, settleOptions)
    const { signal = neverAborted, onOutcome } = options
    const total = { purged: 0, gone: 0, ambiguous: 0 }
    const settle = (id: string, outcome: PurgeOutcome): void => {
      total[outcome] += 1
      onOutcome?.(id, outcome)
    }
    for await (const picked of this.#pages(selection, settle)) {
      if (signal.aborted) return total
      if (picked.length === 0) continue
      const what = { group: this.#group, ids: picked }
      const removed = await scripts.purge(this.#connection, this.#keys, what)
      picked.forEach((id, at) => settle(id, removed[at] === true ? 'purged' : 'gone'))
    }
    return total
  }

  async #redriveOne(id: string): Promise<RedriveOutcome> {
    const what = { group: this.#group, id, idleMs: claimableMs }
    return await scripts.redrive(this.#connection, this.#keys, what)
  }

  /** Letter ids in pages, oldest first. What cannot be picked is settled at once. */
  async *#pages(
    selection: DeadLetterSelection,
    settle: (id: string, outcome: 'gone' | 'ambiguous') => void,
  ): AsyncGenerator<string[]> {
    const { ids, reason, olderThanMs = 0 } = selected(selection)
    if (ids !== undefined) {
      yield [...pickIds(ids, await this.find(...ids), settle)]
      return
    }
    const before = olderThanMs === 0 ? Infinity : (await this.#serverTime()) - olderThanMs
    let page: string[] = []
    for await (const letter of this.#walk({ order: 'oldest' })) {
      if (reason !== undefined && letter.reason !== reason) continue
      if (letter.time <= before) page.push(letter.letterId)
      if (page.length < pageMax) continue
      yield page
      page = []
    }
    yield page
  }

  /** Every letter that is there when the walk begins, in bounded reads. */
  async *#walk(way: {
    readonly order: 'newest' | 'oldest'
    readonly after?: string | undefined
    readonly atOnce?: number
  }): AsyncGenerator<DeadLetter> {
    const isForward = way.order === 'oldest'
    const most = Math.min(pageMax, way.atOnce ?? pageMax)
    const [newest] = asList(await this.#send(['XREVRANGE', this.key, '+', '-', 'COUNT', '1']))
    if (newest === undefined) return
    const last = isForward ? rawEntry(newest).id : '-'
    const action = scripts.lettersAction(this.#keys, this.#group)
    let first = way.after === undefined ? (isForward ? '-' : '+') : `(${way.after}`
    for (;;) {
      const range = { order: way.order, first, last, most, action }
      const read = await readRange(this.#connection, this.key, range)
      for (const entry of read.entries) {
        const letter = deadLetter(entry)
        yield letter
        first = `(${letter.letterId}`
      }
      if (read.isEnd) return
    }
  }

  async #serverTime(): Promise<number> {
    const [seconds, microseconds] = asList(await this.#send(['TIME']))
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)
  }

  async #send(command: readonly string[]): Promise<Reply> {
    try {
      return await this.#connection.send(command)
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'WRONG_TYPE') {
        throw scripts.lettersFailure('wrong-type', this.#keys, this.#group)
      }
      throw error
    }
  }
}

/** The letters that the ids name, each once; an id of two letters picks neither by itself. */
function pickIds(
  ids: readonly string[],
  found: readonly DeadLetter[],
  settle: (id: string, outcome: 'gone' | 'ambiguous') => void,
): Set<string> {
  const picked = new Set<string>()
  for (const id of new Set(ids)) {
    const named = found.filter(({ letterId, entryId }) => letterId === id || entryId === id)
    if (named.length === 1) picked.add(named[0]?.letterId ?? id)
    else settle(id, named.length === 0 ? 'gone' : 'ambiguous')
  }
  return picked
}
