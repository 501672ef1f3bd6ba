/**
 * Takes over pending entries of consumers that died, and keeps hold of our own. Promise: no entry stays pending for
 * ever in a group with a living consumer; an entry of a consumer that died is claimed within `claimAfterMs`.
 *
 * A living consumer renews what it has in hand every quarter of that time; an entry that was idle for three quarters
 * is claimed at the next sweep, a quarter later at most.
 */
import { problem } from './effects.ts'
import { isPassing } from './errors.ts'
import type { InHand } from './in-hand.ts'
import type { GroupKeys } from './keys.ts'
import { rawEntry, type RawEntry } from './delivery-reader.ts'
import { wait } from './persist.ts'
import type { Connection, Reply } from './redis/connection.ts'
import { asList, runScript, scripts } from './redis/scripts.ts'

export interface ClaimerParts {
  readonly connection: Connection
  readonly keys: GroupKeys
  readonly who: { readonly group: string; readonly consumer: string }
  readonly inHand: InHand
  readonly claimAfterMs: number
  readonly signal: AbortSignal
  readonly onClaimed: (entries: readonly RawEntry[]) => void
  /** Entries whose body was gone before they were processed; each left a dead letter. */
  readonly onLost: (ids: readonly string[]) => void
}

// A call scans at most ten times its COUNT: about 2 ms of the server.
const countMax = 100
// Ids a call: about 2 ms of the server.
const idsMax = 500
// Any consumer may claim what is idle for so long.
const givenBackMs = 2 ** 31

export class Claimer {
  readonly #parts: ClaimerParts

  constructor(parts: ClaimerParts) {
    this.#parts = parts
  }

  /** Renews and sweeps until the signal aborts. @throws {MillraceError} NO_GROUP, WRONG_TYPE. */
  async run(): Promise<void> {
    const everyMs = Math.max(1, this.#parts.claimAfterMs / 4)
    // Two loops, so that a long walk does not hold up the renewals.
    await Promise.all([
      this.#every(everyMs, () => this.#renew(everyMs)),
      this.#every(everyMs, () => this.#sweep(everyMs * 3)),
    ])
  }

  async #every(everyMs: number, round: () => Promise<void>): Promise<void> {
    const { signal } = this.#parts
    while (!signal.aborted) {
      try {
        await round()
      } catch (error) {
        // The next round tries again; others do it meanwhile.
        if (!isPassing(error)) throw error
      }
      await wait(everyMs, signal)
    }
  }

  /** Lets any consumer claim these entries at once; the delivery count stays. Best effort: else they idle out. */
  async giveBack(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#setIdle(ids, givenBackMs)
  }

  async #renew(everyMs: number): Promise<void> {
    const due = this.#parts.inHand.dueForRenewal(everyMs)
    // What is lost by now will be refused by the gate; it stays in hand until then.
    if (due.length > 0) await this.#setIdle(due, 0)
  }

  async #setIdle(ids: readonly string[], idleMs: number): Promise<void> {
    const { connection, keys, who } = this.#parts
    for (let from = 0; from < ids.length; from += idsMax) {
      const some = ids.slice(from, from + idsMax)
      const args = [who.group, who.consumer, String(idleMs), ...some]
      this.#checked(await runScript(connection, scripts.setIdle, [keys.stream], args))
    }
  }

  /** Walks the whole pending entries list; the cursor `0-0` begins and ends the walk. */
  async #sweep(idleMs: number): Promise<void> {
    const { connection, keys, who, inHand, signal } = this.#parts
    let cursor = '0-0'
    do {
      const count = Math.min(countMax, inHand.roomForClaims(countMax))
      if (count === 0 || signal.aborted) return
      const args = [who.group, who.consumer, String(Math.ceil(idleMs)), cursor, String(count)]
      const reply = await runScript(
        connection,
        scripts.claim,
        [keys.stream, keys.deadLetters],
        args,
      )
      const [next, entries, lost] = this.#checked(reply)
      cursor = String(next)
      const claimed = asList(entries ?? []).map(rawEntry)
      if (claimed.length > 0) this.#parts.onClaimed(claimed)
      const lostIds = asList(lost ?? []).map(String)
      if (lostIds.length > 0) this.#parts.onLost(lostIds)
    } while (cursor !== '0-0')
  }

  #checked(reply: Reply[]): Reply[] {
    const { who, keys } = this.#parts
    if (reply[0] !== 'error') return reply
    throw problem(String(reply[1]), { stream: keys.stream, group: who.group })
  }
}
