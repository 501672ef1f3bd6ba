import { setTimeout as delay } from 'node:timers/promises'

/** How `waitFor` waits. */
export interface WaitForOptions {
  /** What is waited for, for the error: "all entries acknowledged". */
  readonly what: string
  /** Default 30,000: long enough for a machine that is busy, as only what never comes waits for its end. */
  readonly timeoutMs?: number
  /** Pause between two looks, default 15. */
  readonly everyMs?: number
}

type Falsy = undefined | null | false | 0 | ''

/**
 * Looks again and again until the condition holds, and returns what it gave.
 * @throws {Error} naming what was waited for, when it does not hold in time; an error of the condition itself at once.
 */
export async function waitFor<Value>(
  condition: () => Value | Promise<Value>,
  { what, timeoutMs = 30_000, everyMs = 15 }: WaitForOptions,
): Promise<Exclude<Value, Falsy>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value) return value as Exclude<Value, Falsy>
    if (performance.now() > deadline) {
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}; last seen: ${String(value)}`)
    }
    await delay(everyMs)
  }
}

/** Fails with `what` when the promise does not settle in time. */
export async function within<Value>(
  promise: Promise<Value>,
  { what, timeoutMs = 30_000 }: Omit<WaitForOptions, 'everyMs'>,
): Promise<Value> {
  const stopped = new AbortController()
  const tooLate = delay(timeoutMs, undefined, { signal: stopped.signal }).then(() => {
    throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`)
  })
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    stopped.abort()
    // The timer rejects when it is aborted, which is no news to anybody.
    tooLate.catch(() => undefined)
  }
}
