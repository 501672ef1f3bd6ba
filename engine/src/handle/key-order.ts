/** The order among entries of one key. Promise: of each key one entry is in work at a time, and the others follow as they came. */
import { messageOf, shown } from '../support/shown.ts'

/** Undefined: beside all others. An error: `orderBy` gives the entry no place, which is a failed attempt. */
export type Key = string | number | undefined | Error

/** Something that has a key. */
interface Keyed {
  readonly key: Key
}

export class KeyOrder<T extends Keyed> {
  /** By key: what waits until the entry before it is handled. A key without an entry in work has none. */
  readonly #behind = new Map<string | number, T[]>()

  /** True when it may begin now: it has its key until {@link release}. False: it waits behind others of its key. */
  enter(task: T): boolean {
    const { key } = task
    if (!isPlace(key)) return true
    const behind = this.#behind.get(key)
    if (behind === undefined) this.#behind.set(key, [])
    else behind.push(task)
    return behind === undefined
  }

  /** It is out of work. Returns the next one of its key, which may begin now. */
  release({ key }: T): T | undefined {
    if (!isPlace(key)) return undefined
    const next = this.#behind.get(key)?.shift()
    if (next === undefined) this.#behind.delete(key)
    return next
  }

  /** Forgets all that waits. */
  clear(): void {
    this.#behind.clear()
  }
}

/** What a user's `orderBy` says about an entry; undefined: it may be handled in any order. */
export function keyOf<E>(entry: E, orderBy: ((entry: E) => string | number) | undefined): Key {
  if (orderBy === undefined) return undefined
  try {
    const key: unknown = orderBy(entry)
    if (typeof key === 'string' || typeof key === 'number') return key
    return new TypeError(`orderBy returned ${shown(key)}: it is a text or a number`)
  } catch (error) {
    return new Error(`orderBy threw "${messageOf(error)}"`, { cause: error })
  }
}

function isPlace(key: Key): key is string | number {
  return typeof key === 'string' || typeof key === 'number'
}
