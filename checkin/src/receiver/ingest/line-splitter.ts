/** A line of text, or that it was longer than a line may be; its bytes are gone then. */
export type Line = string | typeof tooLong

export const tooLong = Symbol('too long')

const newline = 10
const byteOrderMark = '\uFEFF'
const empty = Buffer.alloc(0)

/** Splits a stream of bytes into lines; a byte order mark at its start is no part of the first. Promise: it keeps less than one line, however long a line goes on. */
export class LineSplitter {
  readonly #maxBytes: number
  #rest = empty
  /** The rest of a line that is too long already is dropped as it comes. */
  #isDropping = false
  #isFirst = true

  /** @param maxBytes that a line may have, without its end. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Takes the next bytes and returns the lines that are complete now, without blank ones. */
  push(chunk: Buffer): Line[] {
    const end = chunk.lastIndexOf(newline) + 1
    if (end === 0) {
      this.#keep(chunk)
      return []
    }
    const lines: Line[] = []
    const start = this.#endOpenLine(chunk, lines)
    // One decoding for all lines: a newline is never a part of another character.
    const text = chunk.toString('utf8', start, end - 1)
    if (start < end) for (const line of text.split('\n')) this.#add(line, lines)
    this.#rest = empty
    this.#keep(chunk.subarray(end))
    return lines
  }

  /** The last line, when it has no end. */
  end(): Line[] {
    const lines: Line[] = []
    if (this.#isDropping) lines.push(tooLong)
    else this.#add(this.#rest.toString(), lines)
    this.#rest = empty
    this.#isDropping = false
    return lines
  }

  /** @returns where the line after the one that was open begins. */
  #endOpenLine(chunk: Buffer, lines: Line[]): number {
    if (!this.#isDropping && this.#rest.length === 0) return 0
    const end = chunk.indexOf(newline)
    if (this.#isDropping) lines.push(tooLong)
    else this.#add(Buffer.concat([this.#rest, chunk.subarray(0, end)]).toString(), lines)
    this.#isDropping = false
    return end + 1
  }

  #add(line: string, lines: Line[]): void {
    if (this.#isFirst) {
      this.#isFirst = false
      if (line.startsWith(byteOrderMark)) line = line.slice(1)
    }
    // A character has at most three bytes for each of its UTF-16 units.
    const isLong = line.length * 3 > this.#maxBytes && Buffer.byteLength(line) > this.#maxBytes
    if (isLong) lines.push(tooLong)
    else if (!isBlank(line)) lines.push(line)
  }

  #keep(bytes: Buffer): void {
    if (this.#isDropping || bytes.length === 0) return
    // A copy: what came is a part of a larger piece of memory.
    this.#rest = Buffer.concat([this.#rest, bytes])
    if (this.#rest.length <= this.#maxBytes + 1) return
    this.#isDropping = true
    this.#rest = empty
  }
}

function isBlank(line: string): boolean {
  // Only what JSON takes for white space.
  return line === '' || /^[ \t\r]*$/.test(line)
}
