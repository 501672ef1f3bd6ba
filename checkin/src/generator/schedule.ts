const behindMaxMs = 1000

/**
 * When the next one is due, at a fixed rate from the first on, however long each takes (an open loop).
 * Times in milliseconds of one clock, which the caller reads.
 */
export class Schedule {
  readonly #everyMs: number
  #nextAt: number

  /** @param rate per second */
  constructor(rate: number, now: number) {
    this.#everyMs = 1000 / rate
    this.#nextAt = now
  }

  /** Milliseconds until the next one is due; 0 or less: now. */
  dueInMs(now: number): number {
    return this.#nextAt - now
  }

  /** One that was due has begun. Who is more than a second behind does not catch up: that would be a flood. */
  begin(now: number): void {
    this.#nextAt = Math.max(this.#nextAt + this.#everyMs, now - behindMaxMs)
  }

  /** Starts anew after a pause. */
  restart(now: number): void {
    this.#nextAt = now
  }
}
