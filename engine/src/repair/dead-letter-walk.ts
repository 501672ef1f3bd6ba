/** Reads the dead-letter stream of a group in bounded steps: all letters, or those that a selection picks. */
import { deadLetter, type DeadLetter } from '../apply/dead-letter.ts'
import { selected, type DeadLetterSelection } from './dead-letter-options.ts'
import { MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { asList, rawEntry } from '../redis/replies.ts'
import { lettersAction, lettersFailure } from '../scripts/dead-letters.ts'
import { readRange } from '../scripts/reading.ts'

/** Told for an id that picks no letter. */
export type OnMissing = (id: string, outcome: 'gone' | 'ambiguous') => void

/** Letters a read, and a page of a selection. Each read is bounded in bytes, too. */
export const pageMax = 100

export class DeadLetterWalk {
  readonly #connection: Connection
  readonly #keys: GroupKeys
  readonly #group: string

  constructor(connection: Connection, keys: GroupKeys, group: string) {
    this.#connection = connection
    this.#keys = keys
    this.#group = group
  }

  /** Every letter that is there when the walk begins. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION. */
  async *letters(way: {
    readonly order: 'newest' | 'oldest'
    /** Begins behind this letter; default: with the first. */
    readonly after?: string | undefined
    /** Letters a read at most. */
    readonly atOnce?: number
  }): AsyncGenerator<DeadLetter> {
    const isForward = way.order === 'oldest'
    const most = Math.min(pageMax, way.atOnce ?? pageMax)
    const key = this.#keys.deadLetters
    const [newest] = asList(await this.#send(['XREVRANGE', key, '+', '-', 'COUNT', '1']))
    if (newest === undefined) return
    const last = isForward ? rawEntry(newest).id : '-'
    const action = lettersAction(this.#keys, this.#group)
    let first = way.after === undefined ? (isForward ? '-' : '+') : `(${way.after}`
    for (;;) {
      const range = { order: way.order, first, last, most, action }
      const read = await readRange(this.#connection, key, range)
      for (const entry of read.entries) {
        const letter = deadLetter(entry)
        yield letter
        first = `(${letter.letterId}`
      }
      if (read.isEnd) return
    }
  }

  /** The letters with one of these ids, their own or that of their entry. Walks all of them. @throws as {@link letters}. */
  async named(ids: readonly string[]): Promise<DeadLetter[]> {
    const wanted = new Set(ids)
    const found: DeadLetter[] = []
    for await (const letter of this.letters({ order: 'oldest' })) {
      if (wanted.has(letter.letterId) || wanted.has(letter.entryId)) found.push(letter)
    }
    return found
  }

  /**
   * The ids of the selected letters in pages, oldest first.
   * @throws {TypeError} or {RangeError} when the selection is none; as {@link letters}.
   */
  async *picked(selection: DeadLetterSelection, onMissing: OnMissing): AsyncGenerator<string[]> {
    const { ids, reason, olderThanMs = 0 } = selected(selection)
    if (ids !== undefined) {
      yield [...pickIds(ids, await this.named(ids), onMissing)]
      return
    }
    const before = olderThanMs === 0 ? Infinity : (await this.#serverTime()) - olderThanMs
    let page: string[] = []
    for await (const letter of this.letters({ order: 'oldest' })) {
      if (reason !== undefined && letter.reason !== reason) continue
      if (letter.time <= before) page.push(letter.letterId)
      if (page.length < pageMax) continue
      yield page
      page = []
    }
    yield page
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
        throw lettersFailure('wrong-type', this.#keys, this.#group)
      }
      throw error
    }
  }
}

/** The letters that the ids name, each once; an id of two letters picks neither by itself. */
function pickIds(
  ids: readonly string[],
  found: readonly DeadLetter[],
  onMissing: OnMissing,
): Set<string> {
  const picked = new Set<string>()
  for (const id of new Set(ids)) {
    const named = found.filter(({ letterId, entryId }) => letterId === id || entryId === id)
    if (named.length === 1) picked.add(named[0]?.letterId ?? id)
    else onMissing(id, named.length === 0 ? 'gone' : 'ambiguous')
  }
  return picked
}
