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
  /** Those that are not given up, in the order in which they began. */
  readonly #awaited = new Set<Awaited>()
  /** One timer for all: one for each call would cost more than all the rest. */
  #timer: NodeJS.Timeout | undefined
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
    const { inFlightMax } = this.#bounds
    if (this.#inFlight >= inFlightMax) {
      return Promise.reject(new OverloadError(`${inFlightMax} calls are under way`))
    }
    this.#inFlight += 1
    // No closure has a name here: tsx would give it to the function anew at each call, which costs more than the rest.
    return new Promise((resolve, reject) => {
      const awaited = { reject, startedAt: performance.now() }
      this.#awaited.add(awaited)
      if (this.#timer === undefined) this.#timer = this.#lookIn(this.#bounds.withinMs)
      call().then(
        (value) => {
          this.#settled(awaited)
          resolve(value)
        },
        (error: unknown) => {
          this.#settled(awaited)
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      )
    })
  }

  #settled(awaited: Awaited): void {
    this.#inFlight -= 1
    this.#awaited.delete(awaited)
    this.#observe(performance.now() - awaited.startedAt)
  }

  #lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#giveUpLate(), ms).unref()
  }

  /** The calls still count: they take memory until the engine has settled them. */
  #giveUpLate(): void {
    const { withinMs } = this.#bounds
    this.#timer = undefined
    for (const awaited of this.#awaited) {
      const leftMs = awaited.startedAt + withinMs - performance.now()
      if (leftMs > 0) {
        this.#timer = this.#lookIn(Math.ceil(leftMs))
        return
      }
      this.#awaited.delete(awaited)
      awaited.reject(new MillraceError('TIMEOUT', `No answer from Redis within ${withinMs} ms`))
    }
  }
}

interface Awaited {
  readonly reject: (error: Error) => void
  readonly startedAt: number
}
