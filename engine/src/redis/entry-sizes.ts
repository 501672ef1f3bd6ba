/**
 * How large entries are, learnt from what was read: so that a read of many is bounded in bytes, too. The largest of the
 * last reads counts, and a read takes no more than a few times as many entries as one of them: the server tells no size
 * beforehand.
 */
export class EntrySizes {
  readonly #reads: { readonly entries: number; readonly mean: number }[] = []

  /** Some entries of so many bytes were read. */
  note(entries: number, bytes: number): void {
    if (entries <= 0) return
    this.#reads.push({ entries, mean: bytes / entries })
    if (this.#reads.length > remembered) this.#reads.shift()
  }

  /** These entries were read. */
  noteAll(entries: readonly { readonly bytes: number }[]): void {
    this.note(
      entries.length,
      entries.reduce((sum, { bytes }) => sum + bytes, 0),
    )
  }

  /** How many entries may be read at once, 1 at least, so that they are about so many bytes at most. */
  fitting(bytesMax: number): number {
    const most = Math.max(0, ...this.#reads.map(({ entries }) => entries))
    const largest = Math.max(1, ...this.#reads.map(({ mean }) => mean))
    return Math.max(1, Math.min(growth * most, Math.floor(bytesMax / largest)))
  }
}

const remembered = 8
const growth = 8

/** What a read brings at most, where entries are as large as before. About 1 ms of the server. */
export const readBytesMax = 1_000_000

/** About what an entry takes in a reply and in memory: each name and each value takes some by itself. */
export function sizeOf(flat: readonly string[] | null): number {
  if (flat === null) return 0
  let size = 16 * flat.length
  for (const text of flat) size += text.length
  return size
}
