/**
 * The entries that a consumer has in hand: delivered to it, and neither applied nor given back. Bounded, so a consumer
 * that is slower than its stream holds a fixed number of entries, and an id is never in hand twice.
 */
export class InHand {
  readonly #max: number
  /** Id to the time (ms, monotonic) since when it is held or was renewed. */
  readonly #since = new Map<string, number>()
  #waiting: (() => void)[] = []

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#since.size
  }

  get room(): number {
    return Math.max(0, this.#max - this.#since.size)
  }

  /**
   * Room for entries that were claimed: as much again as for those that are read, up to `most`. Reads fill their room
   * at once while there is a backlog, and claims must not starve meanwhile.
   */
  roomForClaims(most: number): number {
    return Math.max(0, this.#max + Math.min(this.#max, most) - this.#since.size)
  }

  /** False when the entry is in hand already. */
  take(id: string): boolean {
    if (this.#since.has(id)) return false
    this.#since.set(id, performance.now())
    return true
  }

  release(ids: Iterable<string>): void {
    for (const id of ids) this.#since.delete(id)
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  /** Resolves when there is room for one more, or the signal aborts. */
  async hasRoom(signal: AbortSignal): Promise<void> {
    while (this.room === 0 && !signal.aborted) await this.#changed(signal)
  }

  /** Resolves at the next release, or when the signal aborts. */
  async #changed(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.push(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** All ids in hand. */
  ids(): string[] {
    return [...this.#since.keys()]
  }

  /** Ids that were neither taken nor renewed for so long; they count as renewed from now on. */
  dueForRenewal(olderThanMs: number): string[] {
    const now = performance.now()
    const due: string[] = []
    for (const [id, since] of this.#since) {
      if (now - since < olderThanMs) continue
      due.push(id)
      this.#since.set(id, now)
    }
    return due
  }
}
