import { MillraceError } from 'millrace'
import type { Log } from '../../log.ts'
import { countOf, sentence } from 'millrace-ops/terminal'

const lineEveryMs = 1000

/** Says that requests are refused, and why, and that they are served again. Promise: at most a line a second. */
export class RefusalLog {
  readonly #log: Log
  #reason: string | undefined
  #refused = 0
  #lastRefusalMs = 0
  #lastLineMs = -Infinity

  constructor(log: Log) {
    this.#log = log
  }

  /** Called for each request that is answered with 503. */
  refused(error: unknown): void {
    const reason = error instanceof MillraceError ? error.code : String(error)
    const now = performance.now()
    this.#refused += 1
    this.#lastRefusalMs = now
    if (reason === this.#reason || now - this.#lastLineMs < lineEveryMs) return
    this.#reason = reason
    this.#lastLineMs = now
    this.#log.warn(
      sentence(`Answering with 503: ${error instanceof Error ? error.message : reason}`),
    )
  }

  /** Called for each check-in that was taken, so it costs next to nothing while all is well. */
  served(): void {
    if (this.#reason === undefined) return
    const now = performance.now()
    // Under overload one is taken while the next is refused: calm for a while is what counts.
    if (now - this.#lastRefusalMs < lineEveryMs) return
    this.#log.info(`Taking check-ins again, after ${countOf(this.#refused, 'refused request')}.`)
    this.#reason = undefined
    this.#refused = 0
    this.#lastLineMs = now
  }
}
