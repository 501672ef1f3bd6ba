/**
 * Push-down: entries that nobody needs in Node are drained in the server. Promise: one script call takes entries,
 * applies them and moves the group past them, so an entry is never pending, and whatever dies, it was taken with its
 * effects or not at all.
 * Guards:
 *   waiting: waits for the first entry of an empty group in the server
 */
import { keyCollision } from '../apply/fold.ts'
import { compilePushDown } from '../apply/compile-push-down.ts'
import { atMsOf, type CallTimes } from '../apply/settled.ts'
import { EntrySizes } from '../redis/entry-sizes.ts'
import type { FoldTraces } from './fold-traces.ts'
import type { GroupKeys } from '../redis/keys.ts'
import { Pace } from './pace.ts'
import type { PauseSwitch } from '../support/pause-switch.ts'
import { wait } from '../support/persist.ts'
import type { Plan } from '../declare/plan.ts'
import { rankingKeys } from '../declare/ranking.ts'
import type { Connection } from '../redis/connection.ts'
import type { Stream } from '../declare/stream.ts'
import { entriesOf } from '../redis/replies.ts'
import type { DeadLetterReason } from '../scripts/dead-letters.ts'
import { overdueMs } from '../redis/blocking.ts'
import { DrainScript } from '../scripts/apply.ts'

/** A batch that was folded in the server. */
export interface FoldedBatch {
  /** Entries whose effects were written. */
  readonly applied: number
  readonly deadLetters: readonly { id: string; reason: DeadLetterReason; error: string }[]
  /** Id of the last entry that it took. */
  readonly lastId: string
}

/** Of its call. */
export interface FoldedCall extends CallTimes {
  /** Id of the first entry that it took. */
  readonly firstId: string
}

export interface PushDownParts {
  readonly stream: Stream
  readonly plans: readonly Plan[]
  readonly keys: GroupKeys
  readonly who: { readonly group: string; readonly consumer: string; readonly token: string }
  /** Entries a call at most. */
  readonly batchMax: number
  /** How long a call may hold the server, in milliseconds. */
  readonly budgetMs: number
  /** How long to wait for entries before looking anyway, in milliseconds. */
  readonly blockMs: number
  readonly signal: AbortSignal
  /** While it is on, nothing is drained. */
  readonly pause: PauseSwitch
  /** The script says that the lease is not ours: takes it again, or throws that we are superseded. */
  readonly renewLease: () => Promise<void>
  /** Undefined: nothing is traced. */
  readonly traces: Pick<FoldTraces, 'begin'> | undefined
  readonly onFolded: (batch: FoldedBatch, call: FoldedCall) => void
}

// The way into Lua takes 4 ms for a megabyte.
const bytesEachMs = 250_000
// Several consumers wake for each entry, and one of them gets it: the others look less often.
const standbyMostMs = 64

interface Outcome {
  /** Entries that left the group's backlog. */
  readonly taken: number
  /** More entries may be undelivered. */
  readonly hasMore: boolean
}

export class PushDown {
  readonly #parts: PushDownParts
  readonly #script: DrainScript
  readonly #pace: Pace
  readonly #sizes = new EntrySizes()
  /** Everything up to this id has been delivered; undefined until the group was asked. */
  #lastId: string | undefined
  #standbyMs = 0

  constructor(parts: PushDownParts) {
    this.#parts = parts
    const compiled = compilePushDown(parts.stream, parts.plans)
    this.#script = new DrainScript(compiled, rankingKeys(parts.plans))
    this.#pace = new Pace({ budgetMs: parts.budgetMs, most: parts.batchMax })
  }

  /**
   * Waits for entries and drains what is there.
   * @returns whether it drained any.
   * @throws {MillraceError} and whatever the connection throws: then the outcome may be unknown. What was drained is
   *   drained; the next call goes on behind it.
   */
  async takeNew(connection: Connection): Promise<boolean> {
    const isWoken = this.#lastId === undefined || (await this.#wake(connection, this.#lastId))
    if (this.#isHalted) return true
    // After a silence we look all the same: the group may be gone, or was moved.
    const taken = await this.#drain(connection)
    if (taken === 0 && isWoken) await this.#standBy()
    else this.#standbyMs = 0
    return taken > 0
  }

  get #isHalted(): boolean {
    return this.#parts.signal.aborted || this.#parts.pause.isPaused
  }

  /** True as soon as there is an entry behind the id; false when none came. */
  async #wake(connection: Connection, lastId: string): Promise<boolean> {
    const { stream, blockMs } = this.#parts
    const options = ['COUNT', '1', 'BLOCK', String(blockMs), 'STREAMS', stream.key, lastId]
    return entriesOf(await connection.send(['XREAD', ...options], blockMs + overdueMs)).length > 0
  }

  async #standBy(): Promise<void> {
    this.#standbyMs = Math.min(standbyMostMs, this.#standbyMs * 2 + 1)
    await wait(this.#standbyMs, this.#parts.signal)
  }

  /** Drains until nothing is undelivered. Returns the number of entries. */
  async #drain(connection: Connection): Promise<number> {
    let outcome = await this.#call(connection)
    let total = outcome.taken
    if (!outcome.hasMore) return total
    let running = this.#call(connection)
    for (;;) {
      // A second call is on its way while the server works on the first; more would only queue up there.
      const isGoingOn = outcome.hasMore && !this.#isHalted
      const next = isGoingOn ? this.#call(connection) : undefined
      next?.catch(() => undefined) // Whoever awaits it gets its failure; the first one may fail before.
      outcome = await running
      total += outcome.taken
      if (next === undefined) return total
      running = next
    }
  }

  async #call(connection: Connection): Promise<Outcome> {
    const { keys, who, budgetMs, traces, onFolded } = this.#parts
    const bytesMax = budgetMs * bytesEachMs
    for (;;) {
      const what = {
        ...who,
        entriesMax: this.#pace.count,
        bytesMax,
        firstRead: this.#sizes.fitting(bytesMax),
      }
      const trace = traces?.begin()
      const sentAt = performance.now()
      const answer = await this.#pace.around(
        () => this.#script.drain(connection, keys, what),
        (drained) => (drained.kind === 'drained' ? drained : undefined),
      )
      switch (answer.kind) {
        case 'drained': {
          const { taken, applied, deadLetters, lastId, hasMore, bytes } = answer
          const callMs = performance.now() - sentAt
          this.#sizes.note(taken, bytes)
          this.#lastId = lastId
          onFolded(
            { applied, deadLetters, lastId },
            { firstId: answer.firstId, atMs: atMsOf(answer.began), callMs },
          )
          trace?.({ taken, lastId, deadLetters, bytes })
          return { taken, hasMore }
        }
        case 'empty':
          this.#lastId = answer.lastId
          return { taken: 0, hasMore: false }
        case 'superseded':
          await this.#parts.renewLease()
          break
        case 'meeting':
          throw keyCollision(answer.key)
      }
    }
  }
}
