/**
 * How many entries a consumer with a handler has in flight: as many as its handlers finish in a tenth of a second, and two for
 * each of them at least. More would wait here while other consumers have nothing to do; fewer, and instant handlers
 * would wait for the server.
 */
const horizonMs = 100
// Few enough to follow handlers that become slower.
const remembered = 16

export class ReadAhead {
  readonly #concurrency: number
  readonly #most: number
  #meanMs: number | undefined
  #count: number
  /** Since the last growth. */
  #handled = 0

  constructor(options: { readonly concurrency: number; readonly most: number }) {
    this.#concurrency = options.concurrency
    this.#most = options.most
    this.#count = this.#least
  }

  /** Entries in flight at most. */
  get count(): number {
    return this.#count
  }

  /** A handler has taken so long, in milliseconds. */
  note(ms: number): void {
    const mean = this.#meanMs ?? ms
    this.#meanMs = mean + (ms - mean) / remembered
    this.#handled += 1
    const fitting = Math.floor((this.#concurrency * horizonMs) / this.#meanMs)
    const wanted = Math.min(this.#most, Math.max(fitting, this.#least))
    if (wanted < this.#count) this.#count = wanted
    else if (this.#handled >= this.#count) {
      // A few quick ones are no measure for many.
      this.#count = Math.min(wanted, 2 * this.#count)
      this.#handled = 0
    }
  }

  get #least(): number {
    return Math.min(this.#most, 2 * this.#concurrency)
  }
}
