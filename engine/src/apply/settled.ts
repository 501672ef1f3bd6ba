/** What was decided about an entry, before it is applied. */
import type { Entry } from '../declare/stream.ts'
import type { DeadLetterReason } from '../scripts/dead-letters.ts'

/** What has happened to an entry before. */
interface History {
  /** It was delivered before, so attempts at it may have failed. */
  readonly isRedelivery?: boolean
  /** Its handler has begun with it alone, or was not to begin any more: what is noted of that is settled, too. */
  readonly wasAlone?: boolean
}

/** An entry with what was decided about it. */
export type Settled =
  | ({ readonly kind: 'apply'; readonly id: string; readonly entry: Entry } & History)
  | ({
      readonly kind: 'dead-letter'
      readonly id: string
      readonly reason: DeadLetterReason
      readonly error: string
      /** Failed attempts of a handler. */
      readonly attempts?: number
    } & History)
