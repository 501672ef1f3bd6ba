import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs } from './backoff.ts'
import { isPassing } from './errors.ts'

/**
 * Repeats an action until it succeeds, through failures that pass: lost connections, a server that is busy or full.
 * The action must be safe to repeat, since a lost connection hides its outcome.
 * @param signal when it aborts, the next passing failure is thrown instead of waited out.
 * @throws what the action throws, when that does not pass by itself.
 */
export async function persist<Result>(
  signal: AbortSignal,
  action: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await action()
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error
    }
    await wait(backoffMs(attempt, { firstMs: 10, mostMs: 500 }), signal)
  }
}

/** Waits; shorter when the signal aborts. Never rejects. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined)
}
