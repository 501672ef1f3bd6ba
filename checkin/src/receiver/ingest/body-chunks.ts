import type { Readable } from 'node:stream'

/** The bytes of a body as they come, and how long they were waited for. */
export class BodyChunks {
  readonly #chunks: AsyncIterator<Buffer>
  #wake: () => void = nothing
  #waitedMs = 0
  #waitsSince: number | undefined

  constructor(source: Readable) {
    this.#chunks = source.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  }

  /**
   * @returns the next bytes; undefined at the end, and when it was woken meanwhile.
   * @throws when the body breaks off.
   */
  async next(): Promise<Buffer | undefined> {
    const woken = new Promise<undefined>((resolve) => (this.#wake = () => resolve(undefined)))
    this.#waitsSince = performance.now()
    try {
      const result = await Promise.race([this.#chunks.next(), woken])
      return result?.done === true ? undefined : result?.value
    } finally {
      this.#waitedMs = this.waitedMs
      this.#waitsSince = undefined
    }
  }

  /** Ends a `next` that waits. */
  wake(): void {
    this.#wake()
  }

  /** Milliseconds in all, up to now. */
  get waitedMs(): number {
    const now = performance.now()
    return this.#waitedMs + now - (this.#waitsSince ?? now)
  }
}

function nothing(): void {
  // Nobody waits.
}
