/**
 * Cuts a byte stream of the Redis protocol (RESP 2 or 3) into whole values, so that requests and replies can be
 * counted whatever the chunks are that the network made of them.
 */
export class RespFrames {
  #rest: Buffer = Buffer.alloc(0)

  /** Bytes of the value that is still incomplete. */
  get restLength(): number {
    return this.#rest.length
  }

  /** Takes the next chunk and returns the values that are complete now, as the bytes that they came in. */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Buffer[] = []
    let start = 0
    for (;;) {
      const end = endOfValue(bytes, start)
      if (end === undefined) break
      frames.push(bytes.subarray(start, end))
      start = end
    }
    this.#rest = bytes.subarray(start)
    return frames
  }
}

const carriageReturn = 13
const withPayload = new Set(['$', '=', '!'])
const elementsPerItem: Record<string, number> = { '*': 1, '~': 1, '>': 1, '%': 2, '|': 2 }

/** Where the value that begins at `start` ends, or undefined when bytes are missing. */
function endOfValue(bytes: Buffer, start: number): number | undefined {
  let open = 1
  let at = start
  while (open > 0) {
    const line = bytes.indexOf(carriageReturn, at)
    if (line < 0 || line + 2 > bytes.length) return undefined
    const type = String.fromCharCode(bytes[at] ?? 0)
    const size = Number(bytes.toString('latin1', at + 1, line))
    at = line + 2
    // A null bulk string, `$-1`, has no payload.
    if (withPayload.has(type) && size >= 0) at += size + 2
    if (at > bytes.length) return undefined
    const perItem = elementsPerItem[type]
    if (perItem !== undefined) open += perItem * Math.max(size, 0)
    // The attributes of RESP 3 come before the value that they belong to.
    if (type !== '|') open -= 1
  }
  return at
}
