/** What a handler decides. Promise: whatever a handler returns has a meaning, and none of them is to do nothing. */
import { shown } from '../support/shown.ts'

/** What a handler decides about one delivery. A handler that throws has failed, which the retry policy decides about. */
export type Outcome =
  | { readonly kind: 'acknowledge' }
  /**
   * Tried again after so many milliseconds, 0 or more; left out: exponential backoff with jitter, from 100 ms up to 30 s. The
   * entry stays pending meanwhile. Counts as a failed attempt.
   */
  | { readonly kind: 'retry'; readonly afterMs?: number }
  | { readonly kind: 'dead-letter'; readonly reason: string }

/**
 * What a handler's return value says: an outcome decides, and anything else acknowledges, like the result of a query
 * that an arrow function passes on.
 * @throws {TypeError} for an outcome of ours that is not whole: which attempt it was meant to be nobody knows, so it has failed.
 */
export function outcomeOf(returned: unknown): Outcome {
  if (typeof returned !== 'object' || returned === null) return { kind: 'acknowledge' }
  const { kind, afterMs, reason } = returned as Record<'kind' | 'afterMs' | 'reason', unknown>
  switch (kind) {
    case 'retry':
      if (afterMs === undefined) return { kind }
      if (isWait(afterMs)) return { kind, afterMs }
      throw new TypeError(`the handler returned ${shown(returned)}: ${waitRule}`)
    case 'dead-letter':
      if (typeof reason === 'string') return { kind, reason }
      if (reason instanceof Error) return { kind, reason: reason.message }
      throw new TypeError(`the handler returned ${shown(returned)}: reason is a text`)
    default:
      return { kind: 'acknowledge' }
  }
}

/** Whether something is a time that an entry can wait. */
export function isWait(afterMs: unknown): afterMs is number {
  return typeof afterMs === 'number' && Number.isFinite(afterMs) && afterMs >= 0
}

/** What {@link isWait} asks for, in words. */
const waitRule = 'afterMs is a number of milliseconds, 0 or more'
