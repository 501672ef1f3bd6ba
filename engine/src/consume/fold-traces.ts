/**
 * Traces of push-down, whose entries never come here: of some batches the latest entries are looked at. Promise: what it asks of the server
 * is bounded by time, not by what the batches take, and a failure of it harms no batch.
 */
import type { Connection } from '../redis/connection.ts'
import { pairsOf, rawEntries, type RawEntry } from '../redis/replies.ts'
import type { DeadEntry } from '../scripts/dead-letters.ts'
import type { Carried, ConsumerTracing, TracedEntry } from '../trace/tracing.ts'

export interface FoldTracesParts {
  readonly connection: Pick<Connection, 'send'>
  /** Key of the stream. */
  readonly stream: string
  readonly tracing: Pick<ConsumerTracing, 'folds' | 'folded' | 'deadLettered'>
}

/** A batch whose reply has come. */
interface Folded {
  readonly taken: number
  readonly lastId: string
  readonly deadLetters: readonly DeadEntry[]
  /** Of what was read for it. */
  readonly bytes: number
}

// What one look may bring, if the entries are of one size.
const bytesMax = 64_000

export class FoldTraces {
  readonly #parts: FoldTracesParts
  readonly #looking = new Set<Promise<void>>()
  #second = -Infinity
  #left = 0

  constructor(parts: FoldTracesParts) {
    this.#parts = parts
  }

  /** A batch begins. @returns what is to be called when its reply has come; undefined: it is not told. */
  begin(): ((folded: Folded) => void) | undefined {
    const now = performance.now()
    if (now - this.#second >= 1000) {
      this.#second = now
      this.#left = this.#parts.tracing.folds.perSecond
    }
    if (this.#left === 0) return undefined
    const from = Date.now()
    return (folded) => {
      if (this.#left === 0) return
      this.#left -= 1
      const to = from + performance.now() - now
      const looking: Promise<void> = this.#tell(folded, { from, to }).then(
        () => void this.#looking.delete(looking),
      )
      this.#looking.add(looking)
    }
  }

  /** Resolves when everything is told. */
  async done(): Promise<void> {
    while (this.#looking.size > 0) await Promise.all(this.#looking)
  }

  async #tell(
    folded: Folded,
    times: { readonly from: number; readonly to: number },
  ): Promise<void> {
    const { tracing } = this.#parts
    const { taken, deadLetters } = folded
    const [entries, dead] = await Promise.all([
      this.#latest(folded),
      Promise.all(deadLetters.slice(0, tracing.folds.entries).map(({ id }) => this.#carriedBy(id))),
    ])
    tracing.folded({ count: taken, entries, ...times })
    tracing.deadLettered(deadLetters.map((letter, at) => ({ ...letter, carried: dead[at] })))
  }

  async #latest({ taken, lastId, bytes }: Folded): Promise<TracedEntry[]> {
    const { stream, tracing } = this.#parts
    const fitting = Math.max(1, Math.floor((bytesMax * taken) / Math.max(1, bytes)))
    const count = Math.min(tracing.folds.entries, taken, fitting)
    if (count === 0) return []
    const found = await this.#read(['XREVRANGE', stream, lastId, '-', 'COUNT', String(count)])
    return found.map(({ id, flat }) => ({ id, carried: pairsOf(flat ?? []) }))
  }

  async #carriedBy(id: string): Promise<Carried> {
    const [entry] = await this.#read(['XRANGE', this.#parts.stream, id, id])
    return pairsOf(entry?.flat ?? [])
  }

  /** Nothing where it fails: it is for the trace alone, and what is wrong is told by the work itself. */
  async #read(command: readonly string[]): Promise<RawEntry[]> {
    const { connection } = this.#parts
    return await connection.send(command).then(rawEntries, () => [])
  }
}
