/**
 * Takes over pending entries of consumers that died. Promise: no entry stays pending for ever in a group with a living
 * consumer. Entries of a consumer whose lease ran out are claimed at the next sweep; those of a consumer without a
 * lease (redis-cli, another library) when they were idle for as long as a lease lasts.
 */
import { problem } from './effects.ts'
import { isPassing } from './errors.ts'
import type { InHand } from './in-hand.ts'
import { parkingNames, type GroupKeys } from './keys.ts'
import { rawEntry, type RawEntry } from './delivery-reader.ts'
import { wait } from './persist.ts'
import type { Connection, Reply } from './redis/connection.ts'
import { asList, runScript, scripts } from './redis/scripts.ts'

export interface ClaimerParts {
  readonly connection: Connection
  readonly keys: GroupKeys
  readonly who: { readonly group: string; readonly consumer: string }
  readonly inHand: InHand
  /** How long a lease lasts: what belongs to no lease is claimed when it was idle for so long. */
  readonly leaseMs: number
  readonly sweepEveryMs: number
  /** Consumers that are dead and empty for so long are removed, in milliseconds. */
  readonly removeAfterMs: number
  readonly signal: AbortSignal
  readonly onClaimed: (entries: readonly RawEntry[], from: string) => void
  /** Entries whose body was gone before they were processed; each left a dead letter. */
  readonly onLost: (ids: readonly string[]) => void
}

// Entries a call: about 1 ms of the server.
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

  /** Sweeps until the signal aborts; of all consumers of the group one at a time does. @throws {MillraceError} */
  async run(): Promise<void> {
    const { signal, sweepEveryMs } = this.#parts
    while (!signal.aborted) {
      try {
        await this.#sweep()
      } catch (error) {
        // The next round tries again; others do it meanwhile.
        if (!isPassing(error)) throw error
      }
      await wait(sweepEveryMs, signal)
    }
  }

  /** Lets any consumer claim these entries at once; the delivery count stays. */
  async giveBack(ids: readonly string[]): Promise<void> {
    const { connection, keys, who } = this.#parts
    for (let from = 0; from < ids.length; from += idsMax) {
      const args = [who.group, who.consumer, String(givenBackMs), ...ids.slice(from, from + idsMax)]
      this.#checked(await runScript(connection, scripts.setIdle, [keys.stream], args))
    }
  }

  async #sweep(): Promise<void> {
    const { connection, keys, who, sweepEveryMs, removeAfterMs, leaseMs } = this.#parts
    // A turn is shorter than the pause between two of one consumer, so that it does not shut itself out.
    const turnMs = Math.ceil(sweepEveryMs * 0.9)
    const args = [who.group, who.consumer, String(turnMs), String(removeAfterMs), ...parkingNames]
    const place = [keys.stream, keys.leases, keys.holders]
    for (const row of this.#checked(await runScript(connection, scripts.sweep, place, args))) {
      const [name, kind] = asList(row).map(String)
      // A lease that ran out says that its holder is gone, however young its entries are.
      await this.#claimFrom(name ?? '', kind === 'expired' ? 0 : leaseMs)
    }
  }

  /** Walks the pending entries of one consumer in bounded steps, for as long as there is room. */
  async #claimFrom(owner: string, idleMs: number): Promise<void> {
    const { connection, keys, who, inHand, signal } = this.#parts
    const place = [keys.stream, keys.deadLetters, keys.leases]
    let after = '-'
    do {
      const count = Math.min(countMax, inHand.roomForClaims(countMax))
      if (count === 0 || signal.aborted) return
      const range = [String(Math.ceil(idleMs)), after, String(count)]
      const args = [who.group, who.consumer, owner, ...range]
      const reply = this.#checked(await runScript(connection, scripts.claim, place, args))
      const [next, entries, lost] = reply
      after = String(next)
      const claimed = asList(entries ?? []).map(rawEntry)
      if (claimed.length > 0) this.#parts.onClaimed(claimed, owner)
      const lostIds = asList(lost ?? []).map(String)
      if (lostIds.length > 0) this.#parts.onLost(lostIds)
    } while (after !== '')
  }

  #checked(reply: Reply[]): Reply[] {
    const { who, keys } = this.#parts
    if (reply[0] !== 'error') return reply
    throw problem(String(reply[1]), { stream: keys.stream, group: who.group })
  }
}
