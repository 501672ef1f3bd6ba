import { ChangeSignal } from '../support/change-signal.ts'

// A read goes beyond it by its own size at most.
const bytesMax = 64_000_000

/**
 * The entries that a consumer has in flight: delivered to it, and neither applied nor given back. Bounded in number and in
 * bytes, so a consumer that is slower than its stream holds no more, and an id is never in flight twice.
 */
export class InFlight {
  readonly #max: number
  readonly #readAhead: { readonly count: number } | undefined
  /** Id to size in bytes. */
  readonly #ids = new Map<string, number>()
  #bytes = 0
  readonly #released = new ChangeSignal()

  /** @param readAhead how many there shall be for now; default: `max`. */
  constructor(max: number, readAhead?: { readonly count: number }) {
    this.#max = max
    this.#readAhead = readAhead
  }

  get size(): number {
    return this.#ids.size
  }

  /** About so many bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /** The size of an entry that is in flight. */
  bytesOf(id: string): number {
    return this.#ids.get(id) ?? 0
  }

  get room(): number {
    return this.#bytes >= bytesMax ? 0 : Math.max(0, this.#bound - this.#ids.size)
  }

  /**
   * Room for entries that were claimed: as much again as for those that are read, up to `most`. Reads fill their room
   * at once while there is a backlog, and claims must not starve meanwhile.
   */
  roomForClaims(most: number): number {
    return this.#bytes >= 2 * bytesMax
      ? 0
      : Math.max(0, this.#bound + Math.min(this.#bound, most) - this.#ids.size)
  }

  get #bound(): number {
    return Math.min(this.#max, this.#readAhead?.count ?? Infinity)
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** False when the entry is in flight already. */
  take(id: string, bytes: number): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.set(id, bytes)
    this.#bytes += bytes
    return true
  }

  release(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#bytes -= this.bytesOf(id)
      this.#ids.delete(id)
    }
    this.#released.notify()
  }

  /** Resolves when there is room for one more, or the signal aborts. */
  async hasRoom(signal: AbortSignal): Promise<void> {
    while (this.room === 0 && !signal.aborted) await this.#released.next(signal)
  }

  /** Resolves when {@link roomForClaims} is above 0, or the signal aborts. */
  async hasRoomForClaims(most: number, signal: AbortSignal): Promise<void> {
    while (this.roomForClaims(most) === 0 && !signal.aborted) await this.#released.next(signal)
  }

  /** All ids in flight. */
  ids(): string[] {
    return [...this.#ids.keys()]
  }
}
