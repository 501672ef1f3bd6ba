/** What became of one entry. Promise: it costs the server a few short calls, however many dead letters there are. */
import { deadLetter, type DeadLetter } from '../apply/dead-letter.ts'
import { compareIds, isEntryId } from '../support/entry-id.ts'
import { groupKeys } from '../redis/keys.ts'
import type { Connection } from '../redis/connection.ts'
import { findDeadLetter } from '../scripts/dead-letters.ts'
import { entryState as askState, type EntryAnswer } from '../scripts/reading.ts'

/** Names and values of an entry, in its order; empty when its body is gone from the stream. */
type Body = readonly (readonly [name: string, value: string])[]

/**
 * Where an entry stands in a group.
 *
 * - `waiting`: appended, not delivered to a consumer yet.
 * - `pending`: delivered, not acknowledged. `deliveries` counts how often it was delivered, also by claims.
 * - `applied`: acknowledged, and no dead letter of it is there.
 * - `dead`: it could not be processed; the dead letter says why.
 * - `acknowledged`: acknowledged, and there are too many dead letters, or too large ones, to say whether one of them is its.
 * - `trimmed`: its id lies before the first entry of the stream, from which entries were removed. Ids do not tell whether
 *   there was an entry under each of them.
 * - `unknown`: the stream has no such entry, and nothing says that it had.
 */
export type EntryState =
  | { readonly kind: 'waiting' | 'applied' | 'acknowledged'; readonly fields: Body }
  | {
      readonly kind: 'pending'
      readonly fields: Body
      readonly consumer: string
      readonly idleMs: number
      readonly deliveries: number
    }
  | { readonly kind: 'dead'; readonly letter: DeadLetter }
  | { readonly kind: 'trimmed' | 'unknown' }

// About a millisecond of the server for each step.
const lettersAtOnce = 500
const lettersMax = 10_000
const lettersBytesMax = 10_000_000

/** See `Group.entryState`. */
export async function entryState(
  connection: Pick<Connection, 'send'>,
  stream: string,
  group: string,
  id: string,
): Promise<EntryState> {
  if (!isEntryId(id))
    throw new RangeError(`Cannot look at entry ${JSON.stringify(id)}: no entry id`)
  const answer = await askState(connection, stream, { group, id })
  if (answer.kind === 'waiting') return { kind: answer.kind, fields: pairs(answer.flat) }
  if (answer.kind === 'pending') {
    const { flat, ...rest } = answer
    return { ...rest, fields: pairs(flat) }
  }
  // Also for an entry that is gone: its dead letter outlives it.
  const letter = await findLetter(connection, groupKeys(stream, group).deadLetters, id)
  if (typeof letter === 'object') return { kind: 'dead', letter }
  if (answer.kind === 'absent') return { kind: wasTrimmed(id, answer) ? 'trimmed' : 'unknown' }
  return { kind: letter === 'none' ? 'applied' : 'acknowledged', fields: pairs(answer.flat) }
}

/** @returns `too-many` when the bound was reached before the end. */
async function findLetter(
  connection: Pick<Connection, 'send'>,
  key: string,
  id: string,
): Promise<DeadLetter | 'none' | 'too-many'> {
  let after = ''
  for (let letters = 0, bytes = 0; letters < lettersMax && bytes < lettersBytesMax;) {
    const what = { entryId: id, lettersMax: lettersAtOnce, after }
    const step = await findDeadLetter(connection, key, what)
    if (step.kind === 'found') return deadLetter(step.letter)
    if (step.kind === 'end') return 'none'
    after = step.next
    letters += step.letters
    bytes += step.bytes
  }
  return 'too-many'
}

function wasTrimmed(
  id: string,
  { firstId, lastId, appended, length }: Extract<EntryAnswer, { kind: 'absent' }>,
): boolean {
  if (appended <= length || id === '0-0') return false
  return firstId === null ? compareIds(id, lastId) <= 0 : compareIds(id, firstId) < 0
}

function pairs(flat: readonly string[]): Body {
  const found: [string, string][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) found.push([flat[at] ?? '', flat[at + 1] ?? ''])
  return found
}
