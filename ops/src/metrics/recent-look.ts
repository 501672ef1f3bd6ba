/**
 * What was seen a second ago at most. Promise: however often and by how many it is asked for, Redis is asked once a second, also
 * while it does not answer; who asks waits for 5 s at most; and what is too old is not told as if it were new.
 */
import type { Snapshot, Snapshots } from '../snapshot/index.ts'

/** A look at streams and groups. */
export interface Recent {
  /** Null: there is none of now. */
  readonly snapshot: Snapshot | null
  /** Milliseconds since the last one was taken, whatever came of later looks; null before the first. */
  readonly ageMs: number | null
}

const everyMs = 1000
const patienceMs = 5000

export class RecentLook {
  readonly #snapshots: Pick<Snapshots, 'take' | 'known'>
  #askedAt = -Infinity
  #asked: Promise<Snapshot | null> = Promise.resolve(null)

  constructor(snapshots: Pick<Snapshots, 'take' | 'known'>) {
    this.#snapshots = snapshots
  }

  async get(): Promise<Recent> {
    const now = performance.now()
    if (now - this.#askedAt >= everyMs) {
      this.#askedAt = now
      this.#asked = within(
        this.#snapshots.take().catch(() => null),
        patienceMs,
      )
    }
    return { snapshot: await this.#asked, ageMs: this.#snapshots.known.ageMs }
  }
}

/** Null when it takes longer. */
function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => resolve(null), ms)
    void promise.then(resolve, reject).finally(() => clearTimeout(tooLate))
  })
}
