/**
 * How many entries a script call takes, so that it holds the server for no longer than a budget. What the server spends
 * is estimated from round trips: it tells no script its own time (since Redis 7.2 its clock stands still in one).
 */
export class Pace {
  readonly #budgetMs: number
  readonly #most: number
  /** Least round trip so far: what the way alone takes. */
  #wayMs = Infinity
  #answeredAt = -Infinity
  #microsAnEntry = 0

  constructor(options: { readonly budgetMs: number; readonly most: number }) {
    this.#budgetMs = options.budgetMs
    this.#most = options.most
  }

  /** Entries for the next call. */
  get count(): number {
    if (this.#microsAnEntry === 0) return Math.min(this.#most, firstCount)
    const fitting = Math.floor((this.#budgetMs * 1000) / this.#microsAnEntry)
    return Math.max(1, Math.min(this.#most, Math.max(fitting, leastCount)))
  }

  /** A call that took entries was answered just now. */
  answered(entries: number, sentAt: number): void {
    const now = performance.now()
    const roundTripMs = now - sentAt
    this.#wayMs = Math.min(this.#wayMs, roundTripMs)
    // Of two calls on their way the second one waits for the first.
    const spentMs = Math.min(roundTripMs - this.#wayMs, now - this.#answeredAt)
    this.#answeredAt = now
    if (entries < meaningful) return
    const micros = (spentMs * 1000) / entries
    const weight = this.#microsAnEntry === 0 ? 1 : smoothing
    this.#microsAnEntry += weight * (micros - this.#microsAnEntry)
  }
}

const firstCount = 100
// Below it a call costs more by itself than by its entries.
const leastCount = 16
const meaningful = 10
const smoothing = 0.2
