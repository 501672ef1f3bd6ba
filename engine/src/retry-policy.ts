/** What becomes of an entry whose handler has failed: when it is tried again, or that it is not. */
import { backoffMs } from './backoff.ts'
import type { Fields } from './fields.ts'
import type { Entry } from './stream.ts'

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
 * Decides about a failure by its error. Returning nothing leaves it to the default: again with backoff, up to
 * `attemptsMax` attempts, then a dead letter. A policy that throws leaves it to the default, too.
 */
export type RetryPolicy<F extends Fields = Fields> = (
  failure: Failure<F>,
) => RetryDecision | undefined

const retryWait = { firstMs: 100, mostMs: 30_000 }

/** The decision in full, with its wait or its reason. */
export type Decided =
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'dead-letter'; readonly reason: string }

/** What the policy, or without its word the default, says about a failure. */
export function decide<F extends Fields>(
  failure: Failure<F>,
  policy: RetryPolicy<F> | undefined,
  attemptsMax: number,
): Decided {
  const { attempt, error } = failure
  const decision = askedPolicy(failure, policy)
  const message = messageOf(error)
  if (decision?.kind === 'dead-letter') {
    return { kind: 'dead-letter', reason: decision.reason ?? message }
  }
  if (decision === undefined && attempt >= attemptsMax) {
    const reason = `${message} (attempt ${attempt} of ${attemptsMax})`
    return { kind: 'dead-letter', reason }
  }
  return { kind: 'retry', afterMs: decision?.afterMs ?? backoffMs(attempt - 1, retryWait) }
}

function askedPolicy<F extends Fields>(
  failure: Failure<F>,
  policy: RetryPolicy<F> | undefined,
): RetryDecision | undefined {
  try {
    return policy?.(failure)
  } catch {
    return undefined
  }
}

/** The text of anything that can be thrown, even of what has none. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error)
  } catch {
    return 'the handler threw something without a text'
  }
}
