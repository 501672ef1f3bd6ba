/** What a user writes to decide about entries one by one. */
import type { Fields } from '../declare/fields.ts'
import type { Outcome } from './outcome.ts'
import type { Entry } from '../declare/stream.ts'

export interface HandlerContext {
  /** 1 for the first attempt; failed attempts of other processes count. */
  readonly attempt: number
  /**
   * Aborts when the consumer stops: a handler that ends early then may throw, and the entry is given back. Aborts with a
   * `TimeoutError` when the handler takes longer than `timeoutMs`.
   */
  readonly signal: AbortSignal
}

/** A handler may return nothing at all. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- so that a function without a return is one
type Returned = Outcome | undefined | void

/**
 * Handles one entry before its effects are applied. Only an {@link Outcome} decides; whatever else it returns
 * acknowledges. Its effects outside Redis are at least once: it may see an entry again after a crash.
 */
export type Handler<F extends Fields = Fields> = (
  entry: Entry<F>,
  context: HandlerContext,
) => Returned | Promise<Returned>
