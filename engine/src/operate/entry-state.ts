/** What became of one entry. Promise: it costs the server a few short calls, however many dead letters there are. */
import { deadLetter, type DeadLetter } from '../apply/dead-letter.ts'
import { compareIds, isEntryId } from '../support/entry-id.ts'
import { MillraceError } from '../support/errors.ts'
import { groupKeys } from '../redis/keys.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { asList, runScript, scripts } from '../scripts/run-script.ts'
import { scriptFailure } from '../scripts/script-failure.ts'

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
  const reply = await runScript(connection, scripts.entryState, [stream], [group, id])
  const [kind, body, ...rest] = reply
  switch (kind) {
    case 'waiting':
      return { kind, fields: pairs(body) }
    case 'pending':
      return { kind, fields: pairs(body), ...pendingOf(rest) }
    case 'error':
      throw refusal(stream, String(body))
    default:
      break
  }
  // Also for an entry that is gone: its dead letter outlives it.
  const letter = await findLetter(connection, groupKeys(stream, group).deadLetters, id)
  if (typeof letter === 'object') return { kind: 'dead', letter }
  if (kind === 'absent') return { kind: wasTrimmed(id, reply) ? 'trimmed' : 'unknown' }
  return { kind: letter === 'none' ? 'applied' : 'acknowledged', fields: pairs(body) }
}

/** @returns `too-many` when the bound was reached before the end. */
async function findLetter(
  connection: Pick<Connection, 'send'>,
  key: string,
  id: string,
): Promise<DeadLetter | 'none' | 'too-many'> {
  let after = ''
  for (let letters = 0, bytes = 0; letters < lettersMax && bytes < lettersBytesMax;) {
    const args = [id, String(lettersAtOnce), after]
    const [found, next, looked, read] = await runScript(
      connection,
      scripts.findDeadLetter,
      [key],
      args,
    )
    if (found === 'error') throw refusal(key, String(next))
    if (found !== undefined && found !== '') return deadLetter(found)
    if (next === undefined) return 'none'
    after = String(next)
    letters += Number(looked)
    bytes += Number(read)
  }
  return 'too-many'
}

function wasTrimmed(id: string, [, first, last, added, length]: readonly Reply[]): boolean {
  if (Number(added) <= Number(length) || id === '0-0') return false
  return first === '' ? compareIds(id, String(last)) <= 0 : compareIds(id, String(first)) < 0
}

function pendingOf([consumer, idle, deliveries]: readonly Reply[]): {
  consumer: string
  idleMs: number
  deliveries: number
} {
  return { consumer: String(consumer), idleMs: Number(idle), deliveries: Number(deliveries) }
}

function pairs(reply: Reply | undefined): Body {
  const flat = asList(reply ?? []).map(String)
  const found: [string, string][] = []
  for (let at = 0; at + 1 < flat.length; at += 2) found.push([flat[at] ?? '', flat[at + 1] ?? ''])
  return found
}

function refusal(key: string, code: string): MillraceError {
  const action = `Cannot say what became of an entry of "${key}"`
  return scriptFailure(action, code) ?? new MillraceError('REFUSED', `${action}: ${code}`)
}
