/**
 * How many entries a script call takes, so that it holds the server for no longer than a budget. A call is timed by the
 * server's clock, from its begin to that of the next one, where that one was waiting already: the server tells no script how
 * long it took (since Redis 7.2 the clock stands still in one). What else the machine does only ever adds to such a
 * time, so a low one of the last times counts, not their mean: else the batches would shrink just when entries cost most.
 */
export class Pace {
  readonly #budgetMs: number
  readonly #most: number
  /** Microseconds an entry, of the last calls that could be timed. */
  readonly #times: number[] = []
  /** Calls that are on their way. */
  #running = 0
  /** The call before: when it began, on the server's clock (µs), and how many entries it took. */
  #before: { readonly began: number; readonly taken: number } | undefined

  constructor(options: { readonly budgetMs: number; readonly most: number }) {
    this.#budgetMs = options.budgetMs
    this.#most = options.most
  }

  /** Entries for the next call. */
  get count(): number {
    const micros = this.#microsAnEntry
    if (micros === undefined) return Math.min(this.#most, firstCount)
    const fitting = Math.floor((this.#budgetMs * 1000) / micros)
    return Math.min(this.#most, Math.max(fitting, leastCount))
  }

  /**
   * Makes a call and times the one before it.
   * @param timed of the reply: when the call began, on the server's clock (µs), and how many entries it took; undefined when it
   *   took none.
   */
  async around<Answer>(
    call: () => Promise<Answer>,
    timed: (answer: Answer) => { readonly began: number; readonly taken: number } | undefined,
  ): Promise<Answer> {
    const wasWaiting = this.#running > 0
    this.#running += 1
    try {
      const answer = await call()
      const now = timed(answer)
      if (wasWaiting && now !== undefined) this.#note(now.began)
      this.#before = now
      return answer
    } finally {
      this.#running -= 1
    }
  }

  /** The call before lasted until now at most. */
  #note(now: number): void {
    if (this.#before === undefined || this.#before.taken < meaningful) return
    const micros = (now - this.#before.began) / this.#before.taken
    // A clock that was set back says nothing.
    if (micros <= 0) return
    this.#times.push(micros)
    if (this.#times.length > remembered) this.#times.shift()
  }

  get #microsAnEntry(): number | undefined {
    const ascending = this.#times.toSorted((a, b) => a - b)
    // Not the least: one call that met only cheap entries is no measure.
    return ascending[Math.min(1, ascending.length - 1)]
  }
}

const firstCount = 100
// Below it a call costs more by itself than by its entries.
const leastCount = 16
const meaningful = 10
// Few enough to follow entries that become dearer.
const remembered = 8
