/** What becomes of an entry whose handler has failed, or whose process died: when it is tried again, or that it is not. */
import { backoffMs } from '../support/backoff.ts'
import type { Fields } from '../declare/fields.ts'
import { isWait } from './outcome.ts'
import { messageOf, shown } from '../support/shown.ts'
import type { Entry } from '../declare/stream.ts'

/** One failed attempt. */
export interface Failure<F extends Fields = Fields> {
  readonly entry: Entry<F>
  /** What the handler threw. */
  readonly error: unknown
  /** Attempts that have failed, this one among them, in whatever process. Deliveries do not count. */
  readonly attempt: number
}

/** `afterMs` left out: exponential backoff with jitter, from 100 ms up to 30 s. */
export type RetryDecision =
  | { readonly kind: 'retry'; readonly afterMs?: number }
  | { readonly kind: 'dead-letter'; readonly reason?: string }

/**
 * Decides about a failure by its error. Returning nothing leaves it to the default: again with backoff. A policy that throws
 * or returns something else leaves it to the default, too, and the failure's text says so. In each case, and whatever
 * the policy says, `attemptsMax` is the last attempt; then the entry becomes a dead letter.
 */
export type RetryPolicy<F extends Fields = Fields> = (
  failure: Failure<F>,
) => RetryDecision | undefined

const retryWait = { firstMs: 100, mostMs: 30_000 }
// Long enough that a process which starts again gets some work done in between.
const deathWait = { firstMs: 2000, mostMs: 60_000 }
const year = 365 * 86_400_000

/** The decision in full, with its wait and why, or its reason. */
export type Decided =
  | { readonly kind: 'retry'; readonly afterMs: number; readonly error: string }
  | { readonly kind: 'dead-letter'; readonly reason: string }

/** What the policy, or without its word the default, says about a failure. */
export function decide<F extends Fields>(
  failure: Failure<F>,
  policy: RetryPolicy<F> | undefined,
  attemptsMax: number,
): Decided {
  const { attempt, error } = failure
  const { decision, fault } = asked(failure, policy)
  const message = messageOf(error) + fault
  if (decision?.kind === 'dead-letter') {
    return { kind: 'dead-letter', reason: decision.reason ?? message }
  }
  return again({ attempt, attemptsMax, afterMs: decision?.afterMs, error: message })
}

/** A next attempt, unless this one was the last. Without `afterMs` it waits a backoff. */
export function again(failed: {
  readonly attempt: number
  readonly attemptsMax: number
  readonly afterMs: number | undefined
  readonly error: string
}): Decided {
  const { attempt, attemptsMax, afterMs, error } = failed
  if (attempt >= attemptsMax) {
    return { kind: 'dead-letter', reason: `${error} (attempt ${attempt} of ${attemptsMax})` }
  }
  const waitMs = Math.min(afterMs ?? backoffMs(attempt - 1, retryWait), year)
  return { kind: 'retry', afterMs: waitMs, error }
}

/** What becomes of an entry after so many deaths of a process that handled it alone; from `deathsMax` on a dead letter. */
export function afterDeaths(deaths: number, deathsMax: number): Decided {
  const times = deaths === 1 ? 'once' : `${deaths} times`
  const error = `the process died ${times} while the handler had only this entry`
  if (deaths < deathsMax) return { kind: 'retry', afterMs: backoffMs(deaths - 1, deathWait), error }
  return { kind: 'dead-letter', reason: error }
}

interface Asked {
  readonly decision?: RetryDecision | undefined
  /** What is wrong with the policy; empty: nothing. */
  readonly fault: string
}

/** Without types a policy can return anything, and with them it can throw. */
function asked<F extends Fields>(failure: Failure<F>, policy: RetryPolicy<F> | undefined): Asked {
  try {
    const returned: unknown = policy?.(failure)
    if (returned === undefined || returned === null) return { fault: '' }
    if (isDecision(returned)) return { decision: returned, fault: '' }
    if (returned instanceof Promise) returned.catch(() => undefined) // Nobody else would look at it.
    return { fault: `; the retry policy returned ${shown(returned)}, so the default holds` }
  } catch (error) {
    return { fault: `; the retry policy threw "${messageOf(error)}", so the default holds` }
  }
}

function isDecision(returned: unknown): returned is RetryDecision {
  if (typeof returned !== 'object' || returned === null) return false
  const { kind, afterMs, reason } = returned as Record<'kind' | 'afterMs' | 'reason', unknown>
  if (kind === 'retry') return afterMs === undefined || isWait(afterMs)
  return kind === 'dead-letter' && (reason === undefined || typeof reason === 'string')
}
