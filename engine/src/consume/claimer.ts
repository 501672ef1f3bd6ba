/**
 * Takes over pending entries of consumers that died. Promise: no entry stays pending for ever in a group with a living
 * consumer. Entries of a consumer whose lease ran out are claimed at the next sweep; those of a consumer without a
 * lease (redis-cli, another library) when they were idle for as long as a lease lasts.
 * Guards:
 *   failure: what does not pass ends the consumer, which would claim nothing for ever
 */
import { isPassing, readFailure } from '../support/errors.ts'
import type { InFlight } from '../apply/in-flight.ts'
import { parkingNames, type GroupKeys } from '../redis/keys.ts'
import type { PauseSwitch } from '../support/pause-switch.ts'
import { wait } from '../support/persist.ts'
import type { Connection } from '../redis/connection.ts'
import { consumerOf, rawEntry, type RawEntry, asList } from '../redis/replies.ts'
import { readBytesMax } from '../redis/entry-sizes.ts'
import { claim, removeEmpty, setIdle, sweep, type Claimed } from '../scripts/lease.ts'

export interface ClaimerParts {
  readonly connection: Connection
  readonly keys: GroupKeys
  readonly who: { readonly group: string; readonly consumer: string }
  readonly inFlight: InFlight
  /** While it is on, nothing is claimed. */
  readonly pause: PauseSwitch
  /** How long a lease lasts: what belongs to no lease is claimed when it was idle for so long. */
  readonly leaseMs: number
  readonly sweepEveryMs: number
  /** Consumers that are dead and empty for so long are removed, in milliseconds. */
  readonly removeAfterMs: number
  readonly signal: AbortSignal
  /** `from`: the consumer for which they were pending. */
  readonly onClaimed: (entries: readonly RawEntry[], from: string) => void
  /** Whether the consumer is paused, at each sweep. */
  readonly onPaused: (isPaused: boolean) => void
  /** The first retry of the group is due in so many milliseconds. */
  readonly onRetryDue: (ms: number) => void
  /** Entries that were pending for our own name without our knowing. */
  readonly onStrays: (entries: readonly RawEntry[]) => void
  /** Entries whose body was gone before they were processed; each left a dead letter. */
  readonly onLost: (ids: readonly string[]) => void
}

// Entries to claim a call: about 1 ms of the server.
const countMax = 100
// Entries to look at a call, for those that are idle for long enough: about 1 ms of the server.
const lookMax = 1000
// Calls a sweep, so that a walk over many entries of the young does not become a storm.
const stepsMax = 100
// Ids a call: about 2 ms of the server.
const idsMax = 500
// Between two turns while there is more to claim.
const againMs = 20
// Consumers a call.
const removalsMax = 100
// Any consumer may claim what is idle for so long.
const givenBackMs = 2 ** 31

export class Claimer {
  readonly #parts: ClaimerParts
  /** Where the walk over a consumer's entries goes on at the next sweep. */
  readonly #goOnAfter = new Map<string, string>()
  #lapsedAt = -Infinity
  #removeAt = -Infinity

  constructor(parts: ClaimerParts) {
    this.#parts = parts
  }

  /** Sweeps until the signal aborts; of all consumers of the group one at a time does. @throws {MillraceError} */
  async run(): Promise<void> {
    const { signal, sweepEveryMs, keys, who } = this.#parts
    while (!signal.aborted) {
      let hasMore = false
      try {
        hasMore = await this.#sweep()
        await this.#removeGone()
      } catch (error) {
        // The next round tries again; others do it meanwhile.
        if (!isPassing(error)) {
          throw readFailure(error, { stream: keys.stream, group: who.group })
        }
      }
      // Uneven, so that not the same consumer gets every turn.
      await wait((hasMore ? againMs : sweepEveryMs) * (0.9 + 0.2 * Math.random()), signal)
    }
  }

  /**
   * Our own lease had ended, as after an outage of the server: that of others may have, too, and each is left the time of
   * its own lease to renew it before it is taken for dead.
   */
  holdOff(): void {
    this.#lapsedAt = performance.now()
  }

  /** Lets any consumer claim these entries at once; the delivery count stays. */
  async giveBack(ids: readonly string[]): Promise<void> {
    const { connection, keys, who } = this.#parts
    for (let given = 0; given < ids.length;) {
      const some = ids.slice(given, given + idsMax)
      given += await setIdle(connection, keys, { ...who, idleMs: givenBackMs, ids: some })
    }
  }

  /**
   * Entries that are pending for our name and not in flight: the reply to a claim was lost, or a process that had the name
   * before has read them. Nobody claims from the living, so we look ourselves.
   */
  async #receiveStrays(): Promise<void> {
    const { connection, keys, who, inFlight, leaseMs } = this.#parts
    // What is in flight for long shows here too.
    const count = String(inFlight.size + countMax)
    const range = ['IDLE', String(Math.ceil(leaseMs)), '-', '+', count, who.consumer]
    const rows = asList(await connection.send(['XPENDING', keys.stream, who.group, ...range]))
    const strays = rows
      .map((row) => String(asList(row)[0]))
      .filter((id) => !inFlight.has(id))
      .slice(0, inFlight.roomForClaims(countMax))
    if (strays.length === 0) return
    const found: RawEntry[] = []
    let bytes = 0
    // One by one, until there are enough: the rest is found by the next sweep.
    for (const id of strays) {
      const [entry] = asList(await connection.send(['XRANGE', keys.stream, id, id]))
      found.push(entry === undefined ? { id, flat: null, bytes: 0 } : rawEntry(entry))
      bytes += found.at(-1)?.bytes ?? 0
      if (bytes >= readBytesMax) break
    }
    this.#parts.onStrays(found)
  }

  /** True when the turn ended before everything was claimed. */
  async #sweep(): Promise<boolean> {
    const { connection, keys, who, inFlight, sweepEveryMs, leaseMs, signal } = this.#parts
    const turnMs = Math.ceil(sweepEveryMs * 0.8)
    // Without room the turn is better left to another one.
    const hasRoom = inFlight.roomForClaims(countMax) > 0
    const turn = AbortSignal.any([signal, AbortSignal.timeout(turnMs)])
    const swept = await sweep(connection, keys, { ...who, turnMs, strayMs: leaseMs, hasRoom })
    this.#parts.onPaused(swept.isPaused)
    if (swept.hasStrays) await this.#receiveStrays()
    if (swept.firstDueMs !== null) this.#parts.onRetryDue(swept.firstDueMs)
    let steps = stepsMax
    for (const lapsed of swept.lapsed) {
      const isExpired = lapsed.kind === 'expired'
      if (isExpired && performance.now() < this.#lapsedAt + lapsed.leaseMs) continue
      // A lease that ran out says that its holder is gone, however young its entries are.
      const idleMs = isExpired ? 0 : leaseMs
      steps = await this.#claimFrom(lapsed.name, { idleMs, steps, turn })
      if (steps <= 0) return turn.aborted
    }
    return false
  }

  /**
   * Walks the pending entries of one consumer in bounded steps, waiting for room in flight, as long as the turn lasts; the
   * next sweep goes on where this one ended. Returns how many steps are left: 0 when it did not get to the end.
   */
  async #claimFrom(
    owner: string,
    { idleMs, steps, turn }: { idleMs: number; steps: number; turn: AbortSignal },
  ): Promise<number> {
    const { connection, keys, who, inFlight } = this.#parts
    let left = steps
    let after = this.#goOnAfter.get(owner) ?? '-'
    while (after !== '' && left > 0) {
      await inFlight.hasRoomForClaims(countMax, turn)
      const most = Math.min(countMax, inFlight.roomForClaims(countMax))
      if (most === 0 || turn.aborted) {
        left = 0
        break
      }
      // Where all may be claimed there is nothing to look for.
      const bounds = { lookMax: idleMs === 0 ? most : lookMax, countMax: most }
      const claimed = await claim(connection, keys, { ...who, owner, idleMs, after, ...bounds })
      after = claimed.next
      // Only looking is bounded in steps: what is claimed is bounded by the room in flight and the turn.
      if (this.#receiveClaimed(claimed, owner) === 0) left -= 1
    }
    if (after === '' || after === '-') this.#goOnAfter.delete(owner)
    else this.#goOnAfter.set(owner, after)
    return left
  }

  /** Returns how many there were. */
  #receiveClaimed({ entries, lost }: Claimed, owner: string): number {
    if (entries.length > 0) this.#parts.onClaimed(entries, owner)
    if (lost.length > 0) this.#parts.onLost(lost)
    return entries.length + lost.length
  }

  /** Removes consumers that are long gone and empty, and parking ones that are empty. */
  async #removeGone(): Promise<void> {
    const { connection, keys, who, removeAfterMs, sweepEveryMs, pause } = this.#parts
    if (pause.isPaused || performance.now() < this.#removeAt) return
    const list = ['XINFO', 'CONSUMERS', keys.stream, who.group]
    const consumers = asList(await connection.send(list)).map(consumerOf)
    const gone = consumers.filter(({ name, pending, idleMs }) => {
      const isParking = parkingNames.some((parking) => parking === name)
      return pending === 0 && name !== who.consumer && (isParking || idleMs >= removeAfterMs)
    })
    const some = gone.slice(0, removalsMax).map(({ name }) => name)
    // Soon again while there are more; else the longer the list, the more seldom it is read.
    const everyMs = Math.min(removeAfterMs / 10, 5000 + 5 * consumers.length)
    this.#removeAt = performance.now() + (gone.length > removalsMax ? sweepEveryMs : everyMs)
    if (some.length === 0) return
    const what = { group: who.group, afterMs: removeAfterMs, names: some }
    await removeEmpty(connection, keys, what)
  }
}
