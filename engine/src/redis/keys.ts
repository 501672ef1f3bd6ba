import { shown } from '../support/shown.ts'

/** The keys that the engine derives for a group. All begin with the stream's key, so they share its cluster slot. */
export interface GroupKeys {
  /** The stream itself. */
  readonly stream: string
  /** Stream: entries that could not be processed. */
  readonly deadLetters: string
  /** Sorted set: name of a consumer to the end of its lease (ms, the server's clock); `@...`: marks of the engine. */
  readonly leases: string
  /** Hash: name of a consumer to who holds its lease (JSON). */
  readonly holders: string
  /** Sorted set: id of an entry that waits for its next attempt, to when that is due (ms). */
  readonly retries: string
  /**
   * Hash: id of an entry to how many attempts at it have failed; `alone:<id>` to how often its handler has begun with nothing else
   * in work, and was not seen to end.
   */
  readonly attempts: string
  /** Hash: counters that must balance, and how far the group has got (`lua/parts/ledger.lua`). */
  readonly ledger: string
}

/**
 * Consumers that only park entries: what a removed consumer left and what is redriven, until a sweep claims it; what
 * waits for its next attempt, until it is due.
 */
export const parkingNames = ['unassigned', 'redrive', 'retry'] as const

/** Field of the attempts that says that an entry's handler begins alone. */
export const aloneField = (id: string): string => `alone:${id}`

/** Member of the leases that says that a consumer is paused, or without a name the group. No consumer has such a name. */
export const pauseMark = (consumer: string): string => `@paused:${consumer}`

/** The type of each key of a group, as TYPE tells it. */
export const keyTypes: Readonly<Record<keyof GroupKeys, 'stream' | 'zset' | 'hash'>> = {
  stream: 'stream',
  deadLetters: 'stream',
  leases: 'zset',
  holders: 'hash',
  retries: 'zset',
  attempts: 'hash',
  ledger: 'hash',
}

/** The keys of a group. */
export function groupKeys(stream: string, name: string): GroupKeys {
  const of = (what: string): string => `${stream}:${name}:${what}`
  return {
    stream,
    deadLetters: of('dead'),
    leases: of('leases'),
    holders: of('holders'),
    retries: of('retries'),
    attempts: of('attempts'),
    ledger: of('ledger'),
  }
}

/** The keys of a reader without a group. A group may have its name, so its ledger is another one. */
export function readerKeys(stream: string, name: string): GroupKeys {
  return { ...groupKeys(stream, name), ledger: `${stream}:${name}:read` }
}

/** Hash: what was trimmed from a stream, whoever reads it. */
export function streamLedger(stream: string): string {
  return `${stream}:ledger`
}

const namePattern = /^[A-Za-z0-9._:-]{1,64}$/

/** Whether a group or a consumer of the engine can have this name. */
export const isName = (name: string): boolean => namePattern.test(name)

/** @throws {RangeError} for a name that no group or consumer can have; {TypeError} for what is no text. */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string') {
    throw new TypeError(`Cannot use ${shown(name)} as name of a ${what}: it is no text`)
  }
  if (namePattern.test(name)) return
  throw new RangeError(
    `Cannot use ${JSON.stringify(name)} as name of a ${what}: allowed are 1 to 64 letters, digits, ".", "_", ":" and "-"`,
  )
}

/** @throws {TypeError} or {RangeError} for what no consumer can be called. */
export function checkConsumerName(name: unknown): void {
  checkName('consumer', name)
  if (!parkingNames.some((reserved) => reserved === name)) return
  throw new RangeError(
    `Cannot use ${JSON.stringify(name)} as name of a consumer: the engine parks entries there`,
  )
}
