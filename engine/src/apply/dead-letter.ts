import { pairsOf, type RawEntry } from '../redis/replies.ts'
import type { Refusal } from '../scripts/apply.ts'

/** An entry that could not be processed. */
export interface DeadLetter {
  /** Its own id, in the dead-letter stream. */
  readonly letterId: string
  /** Id of the entry; empty when somebody else has written this letter and named none. */
  readonly entryId: string
  /** A `DeadLetterReason`, or what a later version writes. */
  readonly reason: string
  /** In words. */
  readonly error: string
  /** The consumer or reader that gave the entry up. */
  readonly consumer: string
  /** When, in milliseconds of the server's clock. */
  readonly time: number
  /** How often a handler had failed; null when the letter does not say. */
  readonly attempts: number | null
  /**
   * Names and values in their order, as long as they are UTF-8. Empty when the entry's body was gone, and when it is
   * packed.
   */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** The entry has more than 1,500 fields: the letter keeps them as MessagePack in its field `packed`. */
  readonly isPacked: boolean
}

const prefix = 'field:'

/** Reads an entry of a dead-letter stream. Missing parts are empty. */
export function deadLetter({ id, flat }: RawEntry): DeadLetter {
  const pairs = pairsOf(flat ?? [])
  // What is about the entry stands before its fields, so a field cannot pass for it.
  const end = pairs.findIndex(([name]) => name === 'packed' || name.startsWith(prefix))
  const about = new Map(end < 0 ? pairs : pairs.slice(0, end))
  const held = end < 0 ? [] : pairs.slice(end)
  const isPacked = held[0]?.[0] === 'packed'
  const text = (name: string): string => about.get(name) ?? ''
  const attempts = about.get('attempts')
  return {
    letterId: id,
    entryId: text('id'),
    reason: text('reason'),
    error: text('error'),
    consumer: text('consumer'),
    time: Number(text('time')),
    attempts: attempts === undefined ? null : Number(attempts),
    fields: isPacked ? [] : held.map(([name, value]) => [name.slice(prefix.length), value]),
    isPacked,
  }
}

/** Why a hash cannot take an entry, by the code of the scripts; in front stands which field of the hash, if it is about one. */
export const refusalTexts: Readonly<Record<string, string>> = {
  'wrong-type': 'the key holds another type than a hash',
  'not-an-integer': 'holds no integer, and is counted on',
  'not-an-id': "holds no entry id, and is the engine's own",
  overflow: 'would leave its range',
  // Of whatever entry: it need not be tried alone.
  full: 'would leave its range',
  'reserved-key': 'the engine uses the key itself',
}

export function refusalText({ code, field }: Refusal): string {
  return `${field === '' ? '' : `field "${field}" `}${refusalTexts[code] ?? code}`
}
