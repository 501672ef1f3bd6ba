/** What was decided about an entry, before it is applied. */
import type { Entry } from '../declare/stream.ts'
import type { DeadLetterReason } from '../scripts/dead-letters.ts'
import type { Carried, TracedEntry, TracedLetter } from '../trace/tracing.ts'

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
      /** What the entry holds beyond the declared fields; undefined: nothing, or it is not known. */
      carried?: Carried
    } & History)

/** When a batch took effect. */
export interface CallTimes {
  /** When its call began, on the server's clock (ms since 1970); null where the user may not ask for TIME. */
  readonly atMs: number | null
  /** From sending the call to its reply (ms): one that waits for others in the server takes longer. */
  readonly callMs: number
}

/**
 * A batch that took effect, as metrics need it: without its entries, which stay in the server where they are folded there.
 */
export interface AppliedBatch extends CallTimes {
  /** Entries whose effects were written. */
  readonly applied: number
  /** Their ids, ascending; of a batch that was folded in the server the first and the last that it took, dead letters among them. */
  readonly ids: readonly string[]
  readonly isFolded: boolean
}

/** Of a call's `began`. */
export const atMsOf = (beganMicros: number): number | null =>
  beganMicros > 0 ? beganMicros / 1000 : null

/** What a trace is told of it. */
export function tracedEntry(settled: Settled): TracedEntry {
  const { id } = settled
  return { id, carried: settled.kind === 'apply' ? settled.entry.unknown : settled.carried }
}

/** A dead letter, as it is told. */
export type SettledLetter = Omit<Extract<Settled, { kind: 'dead-letter' }>, 'kind'>

/** What a trace is told of a dead letter. */
export function tracedLetter({ id, reason, error, carried }: SettledLetter): TracedLetter {
  return { id, reason, error, carried }
}

/** What an observer is told of it: not what the entry holds, since that may be logged. */
export function toldLetter(letter: SettledLetter): SettledLetter {
  const told = { ...letter }
  delete told.carried
  return told
}
