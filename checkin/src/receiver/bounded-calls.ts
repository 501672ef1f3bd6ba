import { MillraceError } from 'millrace'

export interface Bounds {
  /** Calls that may be under way at once, counted until Redis or the engine has settled them. */
  readonly inFlightMax: number
  /** Milliseconds after which a call is given up; what it does at Redis is unknown then. */
  readonly withinMs: number
}

/** As many calls as allowed are under way already. Nothing was sent. */
export class OverloadError extends Error {
  override readonly name = 'OverloadError'
}

/** Calls to Redis within bounded time and bounded memory. Promise: each settles within `withinMs`. */
export class BoundedCalls {
  readonly #bounds: Bounds
  readonly #observe: (ms: number) => void
  #inFlight = 0

  /** @param observe is told how long each call took that was settled. */
  constructor(bounds: Bounds, observe: (ms: number) => void = () => undefined) {
    this.#bounds = bounds
    this.#observe = observe
  }

  /**
   * @throws {OverloadError} when too many calls are under way.
   * @throws {MillraceError} TIMEOUT when the time is up; otherwise what the call throws.
   */
  run<Value>(call: () => Promise<Value>): Promise<Value> {
    const { inFlightMax, withinMs } = this.#bounds
    if (this.#inFlight >= inFlightMax) {
      return Promise.reject(new OverloadError(`${inFlightMax} calls are under way`))
    }
    this.#inFlight += 1
    const startedAt = performance.now()
    // No closure has a name here: tsx would give it to the function anew at each call, which costs more than the rest.
    return new Promise((resolve, reject) => {
      const timer = setTimeout(rejectLate, withinMs, reject, withinMs)
      call().then(
        (value) => {
          this.#settled(timer, startedAt)
          resolve(value)
        },
        (error: unknown) => {
          this.#settled(timer, startedAt)
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      )
    })
  }

  #settled(timer: NodeJS.Timeout, startedAt: number): void {
    this.#inFlight -= 1
    clearTimeout(timer)
    this.#observe(performance.now() - startedAt)
  }
}

// The call still counts: it takes memory until the engine has settled it.
function rejectLate(reject: (error: Error) => void, withinMs: number): void {
  reject(new MillraceError('TIMEOUT', `No answer from Redis within ${withinMs} ms`))
}
