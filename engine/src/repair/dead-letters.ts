/**
 * The dead letters of a group: looks at them, sends them back, removes them. Promise: a letter is redriven at most once,
 * to its own group, and is there until then; whoever else redrives or purges at the same time.
 */
import type { DeadLetter } from '../apply/dead-letter.ts'
import {
  idList,
  listOptions,
  redriveOptions,
  settleOptions,
  type DeadLetterListOptions,
  type DeadLetterSelection,
  type PurgeOutcome,
  type RedriveOptions,
  type RedriveOutcome,
  type SettleOptions,
} from './dead-letter-options.ts'
import { DeadLetterWalk, pageMax, type OnMissing } from './dead-letter-walk.ts'
import { sizeOf } from '../redis/entry-sizes.ts'
import { groupKeys, type GroupKeys } from '../redis/keys.ts'
import { callback, checkOptions, checkValue } from '../support/option-values.ts'
import { wait } from '../support/persist.ts'
import type { Connection } from '../redis/connection.ts'
import * as scripts from '../scripts/dead-letters.ts'

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[]
  /** For `from` of the next page; null when there is none. */
  readonly next: string | null
}

// Of the letters of a list: they stay in memory together.
const listBytesMax = 16_000_000
// Any consumer may claim what is idle for so long.
const claimableMs = 2 ** 31
const neverAborted = new AbortController().signal

export class DeadLetters {
  readonly #connection: Connection
  readonly #keys: GroupKeys
  readonly #group: string
  readonly #walk: DeadLetterWalk

  /** Use {@link Group.deadLetters}. */
  constructor(connection: Connection, stream: string, group: string) {
    this.#connection = connection
    this.#keys = groupKeys(stream, group)
    this.#group = group
    this.#walk = new DeadLetterWalk(connection, this.#keys, group)
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
    for await (const letter of this.#walk.letters({ order, after: from, atOnce: count + 1 })) {
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
    return await this.#walk.named(ids)
  }

  /**
   * How many letters are selected.
   * @param onMissing told for each id that selects none.
   * @throws as {@link DeadLetters.find}.
   */
  async count(selection: DeadLetterSelection, onMissing?: OnMissing): Promise<number> {
    checkValue('count dead letters', 'onMissing', onMissing, callback)
    let count = 0
    const missed: OnMissing = (...missing) => onMissing?.(...missing)
    for await (const picked of this.#walk.picked(selection, missed)) count += picked.length
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
    for await (const picked of this.#walk.picked(selection, settle)) {
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
    for await (const picked of this.#walk.picked(selection, settle)) {
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
}
