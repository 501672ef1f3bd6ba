/**
 * Reads what the group delivers to one consumer, on a connection of its own. Promise: after each (re)connect the
 * consumer's own pending entries come first, so nothing that was delivered into a lost reply is forgotten; the loop
 * ends by its signal, by a drained group, or by an error that does not pass.
 */
import { backoffMs } from './backoff.ts'
import { isPassing, MillraceError, readFailure } from './errors.ts'
import type { InHand } from './in-hand.ts'
import type { PauseSwitch } from './pause-switch.ts'
import { persist, wait } from './persist.ts'
import type { Connection, Reply } from './redis/connection.ts'
import { asList } from './redis/scripts.ts'

/** An entry as Redis returns it; `flat` is null when its body was trimmed or deleted. */
export interface RawEntry {
  readonly id: string
  readonly flat: readonly string[] | null
}

export interface DeliveryReaderParts {
  readonly connection: Connection
  readonly stream: string
  readonly group: string
  readonly consumer: string
  readonly inHand: InHand
  /** While it is on, nothing is read. */
  readonly pause: PauseSwitch
  readonly batchMax: number
  /** How long one read waits for entries, in milliseconds. */
  readonly blockMs: number
  readonly signal: AbortSignal
  readonly onDelivered: (entries: readonly RawEntry[], how: 'new' | 'pending') => void
  /** The consumer's own pending entries are read; called after each (re)connect. */
  readonly onCaughtUp: () => void
  /** A read found nothing. Resolves to true when the reader shall end. */
  readonly onNothing: () => Promise<boolean>
}

// A read that takes so much longer than its BLOCK is lost: a half-open connection, a frozen server.
const overdueMs = 3000

export class DeliveryReader {
  readonly #parts: DeliveryReaderParts
  #reading: Connection | undefined
  #unblock: (() => void) | undefined
  /** Since the last read that was answered. */
  #failures = 0
  /** Halved when a read fails and doubled when one is answered: a slow link needs small batches to get on at all. */
  #countMax = Infinity

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
    this.#unblock?.()
  }

  /** A fresh connection each time: what a broken one still delivers must not be taken for a later read's reply. */
  async #open(): Promise<Connection> {
    const { connection, consumer } = this.#parts
    this.#reading = await connection.duplicate({ name: `millrace:${consumer}`, isBlocking: true })
    return this.#reading
  }

  async #readOn(reading: Connection): Promise<void> {
    const { signal } = this.#parts
    const unblock = await unblocker(reading, this.#parts.connection)
    this.#unblock = unblock
    signal.addEventListener('abort', unblock)
    try {
      await this.#readOwnPending(reading)
      this.#parts.onCaughtUp()
      for (;;) {
        await this.#mayRead()
        // Read once the listener is set: an abort in between would leave the read to its full BLOCK.
        if (signal.aborted) return
        const entries = await this.#read(reading, '>')
        if (entries.length > 0) this.#parts.onDelivered(entries, 'new')
        else if (await this.#parts.onNothing()) return
      }
    } finally {
      signal.removeEventListener('abort', unblock)
      this.#unblock = undefined
    }
  }

  /** Resolves when there is room in hand and the consumer is not paused, or the signal aborts. */
  async #mayRead(): Promise<void> {
    const { signal, inHand, pause } = this.#parts
    do {
      await pause.untilResumed(signal)
      await inHand.hasRoom(signal)
    } while (pause.isPaused && !signal.aborted)
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
    const { stream, group, consumer, blockMs, batchMax, inHand } = this.#parts
    // COUNT 0 would mean no limit at all.
    const count = Math.max(1, Math.floor(Math.min(batchMax, this.#countMax, inHand.room)))
    const args = ['XREADGROUP', 'GROUP', group, consumer, 'COUNT', String(count)]
    if (from === '>') args.push('BLOCK', String(blockMs))
    const reply = await reading.send([...args, 'STREAMS', stream, from], blockMs + overdueMs)
    this.#failures = 0
    this.#countMax *= 2
    return entriesOf(reply)
  }
}

/**
 * Makes a function that ends a waiting read at once. Without the right to do so, it does nothing: the BLOCK of the
 * read ends it.
 */
export async function unblocker(reading: Connection, commands: Connection): Promise<() => void> {
  try {
    const clientId = String(await reading.send(['CLIENT', 'ID']))
    return () => void commands.send(['CLIENT', 'UNBLOCK', clientId]).catch(() => undefined)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'AUTHENTICATION') return () => undefined
    throw error
  }
}

/** The entries in the reply of XREAD or XREADGROUP for one stream. */
export function entriesOf(reply: Reply): RawEntry[] {
  if (reply === null) return []
  const ofStream = asList(asList(reply)[0] ?? [])
  return asList(ofStream[1] ?? []).map(rawEntry)
}

/** One entry in a reply. */
export function rawEntry(reply: Reply): RawEntry {
  const [id, flat] = asList(reply)
  return { id: String(id), flat: flat === null ? null : (asList(flat ?? []) as string[]) }
}
