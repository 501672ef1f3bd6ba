/**
 * Reads what the group delivers to one consumer, on a connection of its own. Promise: after each (re)connect the
 * consumer's own pending entries come first, so nothing that was delivered into a lost reply is forgotten; the loop
 * ends by its signal, by a drained group, or by an error that does not pass.
 * Guards:
 *   anew: on a new connection the group may be behind where it was: no order across connections
 *   open: leaves no connection open
 */
import { backoffMs } from '../support/backoff.ts'
import { compareIds } from '../support/entry-id.ts'
import { EntrySizes, readBytesMax } from '../redis/entry-sizes.ts'
import { isPassing, MillraceError, movedBack, readFailure } from '../support/errors.ts'
import type { InFlight } from '../apply/in-flight.ts'
import { groupKeys, type GroupKeys } from '../redis/keys.ts'
import type { PauseSwitch } from '../support/pause-switch.ts'
import { persist, wait } from '../support/persist.ts'
import type { Connection } from '../redis/connection.ts'
import { asList, entriesOf, record, type RawEntry } from '../redis/replies.ts'
import { namingKeys } from '../scripts/script-failure.ts'
import { overdueMs, unblockAtAbort, unblockEveryMs, unblocker } from '../redis/blocking.ts'

export interface DeliveryReaderParts {
  readonly connection: Connection
  readonly stream: string
  readonly group: string
  readonly keys: Pick<GroupKeys, 'ledger'>
  readonly consumer: string
  readonly inFlight: InFlight
  /** While it is on, nothing is read. */
  readonly pause: PauseSwitch
  readonly batchMax: number
  /** How long one read waits for entries, in milliseconds. */
  readonly blockMs: number
  readonly signal: AbortSignal
  readonly onDelivered: (entries: readonly RawEntry[], how: 'new' | 'pending') => void
  /** Takes new entries in its own way instead of reading them; resolves to whether there were any. */
  readonly takeNew?: ((reading: Connection) => Promise<boolean>) | undefined
  /** The consumer's own pending entries are read; called after each (re)connect. */
  readonly onCaughtUp: () => void
  /** A read found nothing. Resolves to true when the reader shall end. */
  readonly onNothing: () => Promise<boolean>
}

export class DeliveryReader {
  readonly #parts: DeliveryReaderParts
  #reading: Connection | undefined
  #unblock: (() => void) | undefined
  /** A read of new entries is on its way, or waits. */
  #isTaking = false
  #interrupting: NodeJS.Timeout | undefined
  /** Since the last read that was answered. */
  #failures = 0
  /** Id of the last new entry that this connection has read. */
  #lastNew = '0-0'
  /** Halved when a read fails and doubled when one is answered: a slow link needs small batches to get on at all. */
  #countMax = Infinity
  readonly #sizes = new EntrySizes()

  constructor(parts: DeliveryReaderParts) {
    this.#parts = parts
  }

  /** Reads until the signal aborts or the group is drained. @throws {MillraceError} NO_GROUP, WRONG_TYPE, ... */
  async run(): Promise<void> {
    const { signal } = this.#parts
    try {
      while (!signal.aborted) {
        const reading = await persist(signal, () => this.#open())
        try {
          await this.#readOn(reading)
          return
        } catch (error) {
          if (!isPassing(error)) throw readFailure(error, this.#parts)
          reading.destroy()
          await wait(backoffMs(this.#failures, { firstMs: 10, mostMs: 1000 }), signal)
          this.#failures += 1
          this.#countMax = Math.max(1, Math.min(this.#countMax, this.#parts.batchMax) / 2)
        }
      }
    } catch (error) {
      if (!(isPassing(error) && signal.aborted)) throw error
    } finally {
      this.#reading?.destroy()
    }
  }

  /** Ends a read that waits, so that it looks again whether it is paused. */
  interrupt(): void {
    if (!this.#isTaking) return
    this.#unblock?.()
    clearInterval(this.#interrupting)
    // Again and again, as at an abort.
    this.#interrupting = setInterval(() => this.#unblock?.(), unblockEveryMs)
  }

  /** A fresh connection each time: what a broken one still delivers must not be taken for a later read's reply. */
  async #open(): Promise<Connection> {
    const { connection, consumer } = this.#parts
    this.#reading = await connection.duplicate({ name: `millrace:${consumer}` })
    return this.#reading
  }

  async #readOn(reading: Connection): Promise<void> {
    const { signal } = this.#parts
    const unblock = await unblocker(reading, this.#parts.connection)
    this.#unblock = unblock
    const ended = unblockAtAbort(signal, unblock)
    try {
      await this.#readOwnPending(reading)
      await checkPosition(reading, this.#parts)
      this.#parts.onCaughtUp()
      // Anew on each connection: after a failover the group may be behind where it was, together with its effects.
      this.#lastNew = '0-0'
      for (;;) {
        await this.#mayRead()
        // Read once the listener is set: an abort in between would leave the read to its full BLOCK.
        if (signal.aborted) return
        this.#isTaking = true
        const hasFound = await this.#takeNew(reading).finally(() => this.#taken())
        if (!hasFound && (await this.#parts.onNothing())) return
      }
    } finally {
      ended()
      this.#unblock = undefined
    }
  }

  /** Resolves when there is room in flight and the consumer is not paused, or the signal aborts. */
  async #mayRead(): Promise<void> {
    const { signal, inFlight, pause } = this.#parts
    do {
      await pause.untilResumed(signal)
      await inFlight.hasRoom(signal)
    } while (pause.isPaused && !signal.aborted)
  }

  async #takeNew(reading: Connection): Promise<boolean> {
    const { takeNew, onDelivered } = this.#parts
    if (takeNew !== undefined) {
      const hasFound = await takeNew(reading)
      this.#failures = 0
      return hasFound
    }
    const entries = await this.#read(reading, '>')
    const [first] = entries
    if (first === undefined) return false
    if (compareIds(first.id, this.#lastNew) <= 0) throw await foundMoved(reading, this.#parts)
    this.#lastNew = entries.at(-1)?.id ?? this.#lastNew
    onDelivered(entries, 'new')
    return true
  }

  #taken(): void {
    this.#isTaking = false
    clearInterval(this.#interrupting)
  }

  async #readOwnPending(reading: Connection): Promise<void> {
    const { signal } = this.#parts
    let after = '0-0'
    for (;;) {
      await this.#mayRead()
      if (signal.aborted) return
      const entries = await this.#read(reading, after)
      const last = entries.at(-1)
      if (last === undefined) return
      after = last.id
      this.#parts.onDelivered(entries, 'pending')
    }
  }

  async #read(reading: Connection, from: string): Promise<RawEntry[]> {
    const { stream, group, consumer, blockMs, batchMax, inFlight } = this.#parts
    const most = Math.min(
      batchMax,
      this.#countMax,
      inFlight.room,
      this.#sizes.fitting(readBytesMax),
    )
    // COUNT 0 would mean no limit at all.
    const count = Math.max(1, Math.floor(most))
    const args = ['XREADGROUP', 'GROUP', group, consumer, 'COUNT', String(count)]
    if (from === '>') args.push('BLOCK', String(blockMs))
    const reply = await reading.send([...args, 'STREAMS', stream, from], blockMs + overdueMs)
    this.#failures = 0
    this.#countMax *= 2
    const entries = entriesOf(reply)
    this.#sizes.noteAll(entries)
    return entries
  }
}

/**
 * Whether the group is where its last settlement has seen it, or further. The gate sees that, too, but not once the
 * group has been delivered past that point again while something old is pending. @throws {MillraceError} GROUP_MOVED.
 */
async function checkPosition(
  reading: Connection,
  { stream, group, keys }: Pick<DeliveryReaderParts, 'stream' | 'group' | 'keys'>,
): Promise<void> {
  // The ledger first: meanwhile others may read on, and then settle.
  const seen = await namingKeys(
    reading,
    groupKeys(stream, group),
    `Cannot process entries of stream "${stream}" for "${group}"`,
    () => reading.send(['HGET', keys.ledger, 'delivered']),
  )
  const groups = asList(await reading.send(['XINFO', 'GROUPS', stream])).map(record)
  const position = groups.find(({ name }) => name === group)?.['last-delivered-id']
  if (typeof seen !== 'string' || typeof position !== 'string') return
  if (!/^\d+-\d+$/.test(seen) || compareIds(position, seen) >= 0) return
  throw await foundMoved(reading, { stream, group, keys })
}

/** Notes it in the ledger: what is delivered once more is then settled by nobody, until a recovery. */
async function foundMoved(
  reading: Connection,
  { stream, group, keys }: Pick<DeliveryReaderParts, 'stream' | 'group' | 'keys'>,
): Promise<MillraceError> {
  const mark = ['HSET', keys.ledger, 'moved', String(Date.now())]
  await reading.send(mark).catch(() => undefined) // Whoever settles next finds it, too.
  return movedBack(stream, group)
}
