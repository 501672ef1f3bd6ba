/** The scripts about dead letters, and what is written into one. */
import type { MillraceError } from '../support/errors.ts'
import type { GroupKeys, parkingNames } from '../redis/keys.ts'
import { rawEntry, type RawEntry } from '../redis/replies.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { groupFailure, scriptFailure } from './script-failure.ts'

const redriveScript = script('redrive')
const purgeScript = script('purge')
const findDeadLetterScript = script('find-dead-letter')

/**
 * Why an entry became a dead letter: `undecodable` fields, a hash that cannot take it (`refused`), the decision of its
 * handler (`handler`), a body that was trimmed or deleted before it was processed (`lost`), or the loss of the group, after
 * which nobody knows whether the entry took effect (`unknown`).
 */
export const deadLetterReasons = ['undecodable', 'refused', 'handler', 'lost', 'unknown'] as const

export type DeadLetterReason = (typeof deadLetterReasons)[number]

const errorLengthMax = 1000

/** An error's text as a script can take it, shortened: JSON in Lua refuses lone surrogates. */
export function printable(error: string): string {
  return error.slice(0, errorLengthMax).replace(/\p{Surrogate}/gu, '\uFFFD')
}

/** An entry that becomes a dead letter. */
export interface DeadEntry {
  readonly id: string
  readonly reason: DeadLetterReason
  readonly error: string
  /** Failed attempts of a handler. */
  readonly attempts?: number
}

/** Its letter, as the scripts that apply take it. */
export function letterOf({ id, reason, error, attempts }: DeadEntry): unknown[] {
  const letter = [id, reason, printable(error)]
  return attempts === undefined ? letter : [...letter, attempts]
}

/** Those that a script tells: entry id, reason and error in turn. */
export function deadEntriesIn(flat: readonly string[]): DeadEntry[] {
  return Array.from({ length: flat.length / 3 }, (_, at) => {
    const [id = '', reason, error = ''] = flat.slice(3 * at, 3 * at + 3)
    return { id, reason: reason as DeadLetterReason, error }
  })
}

const redriveName: (typeof parkingNames)[number] = 'redrive'

export type RedriveAnswer = 'redriven' | 'gone' | 'body-gone' | 'mismatch' | 'undelivered' | 'older'

/**
 * Sends one dead letter back, or leaves it as it is.
 * @param what.id of the letter
 * @param what.idleMs what the entry is idle for then
 * @throws {MillraceError} NO_GROUP, GROUP_MOVED, WRONG_TYPE, AUTHENTICATION.
 */
export async function redrive(
  connection: Sender,
  keys: GroupKeys,
  what: { readonly group: string; readonly id: string; readonly idleMs: number },
): Promise<RedriveAnswer> {
  const { group, id, idleMs } = what
  const args = [group, id, redriveName, String(idleMs)]
  const names = [keys.stream, keys.deadLetters, keys.ledger]
  const reply = await runScript(connection, redriveScript, names, args)
  const [kind] = checked(reply, (code) => lettersFailure(code, keys, group))
  return kind as RedriveAnswer
}

/**
 * Deletes dead letters and counts them.
 * @returns for each id whether there was one.
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
 */
export async function purge(
  connection: Sender,
  keys: GroupKeys,
  { group, ids }: { readonly group: string; readonly ids: readonly string[] },
): Promise<boolean[]> {
  const reply = await runScript(connection, purgeScript, [keys.deadLetters, keys.ledger], ids)
  const [, ...deleted] = checked(reply, (code) => lettersFailure(code, keys, group))
  return deleted.map((one) => one === 1)
}

/** What cannot be done with the dead letters of a group, as a message begins. */
export function lettersAction({ stream }: GroupKeys, group: string): string {
  return `Cannot work on the dead letters of group "${group}" of stream "${stream}"`
}

/** The error for a code of a script that works on the dead letters of a group. */
export function lettersFailure(code: string, keys: GroupKeys, group: string): MillraceError {
  if (code === 'no-group' || code === 'moved-back') return groupFailure(code, { ...keys, group })
  const state = `"${keys.deadLetters}" is a key of another type`
  const wrongType = { state, remedy: 'Move that key away' }
  return scriptFailure(lettersAction(keys, group), code, wrongType)
}

export type LetterStep =
  | { readonly kind: 'found'; readonly letter: RawEntry }
  /** There is none. */
  | { readonly kind: 'end' }
  /** Looked at so many letters of so many bytes; `next`: where the next step begins. */
  | {
      readonly kind: 'more'
      readonly next: string
      readonly letters: number
      readonly bytes: number
    }

/**
 * A step of a walk that looks for the dead letter of an entry.
 * @param key of the dead-letter stream
 * @param what.after the letter to begin after; empty: the first one that can be the entry's
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
 */
export async function findDeadLetter(
  connection: Sender,
  key: string,
  what: { readonly entryId: string; readonly lettersMax: number; readonly after: string },
): Promise<LetterStep> {
  const { entryId, lettersMax, after } = what
  const args = [entryId, String(lettersMax), after]
  const reply = await runScript(connection, findDeadLetterScript, [key], args)
  const action = `Cannot say what became of an entry of "${key}"`
  const [found, next, letters, bytes] = checked(reply, (code) => scriptFailure(action, code))
  if (found !== undefined && found !== '') return { kind: 'found', letter: rawEntry(found) }
  if (next === undefined) return { kind: 'end' }
  return { kind: 'more', next: String(next), letters: Number(letters), bytes: Number(bytes) }
}
