/** Calls of the user's handler, each with its signal and its limit of time. Promise: a call with a limit settles within it. */
import type { Fields } from '../declare/fields.ts'
import type { Handler } from './handler.ts'
import type { Entry } from '../declare/stream.ts'

export interface HandlerCallsParts<F extends Fields> {
  readonly handler: Handler<F>
  /** Milliseconds; undefined: no limit. */
  readonly timeoutMs: number | undefined
  /** Aborts when the consumer stops. */
  readonly signal: AbortSignal
}

export class HandlerCalls<F extends Fields> {
  readonly #parts: HandlerCallsParts<F>
  /** Those of calls with a limit. Without one, all share the signal of the consumer: one each would cost more than the call. */
  readonly #running = new Set<AbortController>()

  constructor(parts: HandlerCallsParts<F>) {
    this.#parts = parts
    const { signal } = parts
    signal.addEventListener('abort', () => {
      for (const controller of this.#running) controller.abort(signal.reason)
    })
  }

  /** @returns what the handler returned. @throws what it threw, or a `TimeoutError`; what it does after that is ignored. */
  async call(entry: Entry<F>, attempt: number): Promise<unknown> {
    const { handler, signal, timeoutMs } = this.#parts
    if (timeoutMs === undefined) return await handler(entry, { attempt, signal })
    const controller = new AbortController()
    this.#running.add(controller)
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const text = `the handler took longer than ${timeoutMs} ms`
        const error = new DOMException(text, 'TimeoutError')
        controller.abort(error)
        reject(error)
      }, timeoutMs)
    })
    try {
      const context = { attempt, signal: controller.signal }
      // The race looks at both for good, so a late failure is no unhandled one.
      return await Promise.race([handler(entry, context), tooLong])
    } finally {
      clearTimeout(timer)
      this.#running.delete(controller)
    }
  }
}
