import { stream, text, type Millrace } from 'millrace'
import type { DeadLetters } from 'millrace/operate'
import type { Service } from '../service.ts'
import type { Fields } from './data/fields.ts'
import type { Live } from './live/live.ts'
import type { OfGroup } from './data/queries.ts'
import type { About } from './wire.ts'

/** What the routes of the console work with. */
export interface Parts {
  readonly millrace: Millrace
  readonly service: Service
  readonly about: About
  readonly live: Live
  readonly fields: Fields
  /** @throws {RangeError} for a name that no group of the engine can have. */
  readonly lettersOf: (group: OfGroup) => DeadLetters
}

export const lettersAt =
  (millrace: Millrace): Parts['lettersOf'] =>
  ({ stream: key, group }) =>
    millrace.group(stream(key, { any: text() }), group).deadLetters
