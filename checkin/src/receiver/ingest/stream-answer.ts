/**
 * The answer to a stream of check-ins: a text that goes on for as long as the stream does. Promise: memory is bounded, and what the client
 * does not read is waited for; where all is known soon, the status says how it went.
 */
import { PassThrough, type Readable } from 'node:stream'

/** How an answer begins; its body goes on. */
export interface NdjsonAnswer {
  readonly status: number
  readonly body: string | Readable
}

/** Results (characters) that are kept at most. */
const wholeMax = 1024 * 1024

export class StreamAnswer {
  /** Resolves when it is known how it begins. */
  readonly begun: Promise<NdjsonAnswer>
  readonly #out = new PassThrough({ highWaterMark: 64 * 1024 })
  /** What is kept until all is known; undefined when it goes out at once. */
  #whole: string[] | undefined
  #wholeLength = 0
  #begin!: (answer: NdjsonAnswer) => void
  #hasBegun = false

  /** @param isWhole it is to be kept until all is known, as far as it is short. */
  constructor(isWhole: boolean) {
    this.#whole = isWhole ? [] : undefined
    this.begun = new Promise((resolve) => (this.#begin = resolve))
  }

  /**
   * Adds a text, and waits until more can be taken.
   * @param status that of an answer that begins with this text.
   * @returns false when nobody reads it any more.
   */
  async tell(text: string, status: number): Promise<boolean> {
    if (this.#whole !== undefined) {
      this.#whole.push(text)
      this.#wholeLength += text.length
      // Results may be a hundred times as long as their lines: "1" is a line.
      if (this.#wholeLength <= wholeMax) return true
      text = this.#whole.join('')
      this.#whole = undefined
    }
    if (!this.#hasBegun) this.#begin({ status, body: this.#out })
    this.#hasBegun = true
    if (this.#out.destroyed) return false
    if (!this.#out.write(text)) await drained(this.#out)
    return true
  }

  /** @param status that of an answer that was kept until now. */
  end(status: number): void {
    if (this.#hasBegun) this.#out.end()
    else this.#begin({ status, body: this.#whole?.join('') ?? '' })
  }
}

/** Resolves when more can be written, and when nothing can be written any more. */
function drained(out: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('drain', done).off('close', done)
      resolve()
    }
    out.once('drain', done).once('close', done)
  })
}
