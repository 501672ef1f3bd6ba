/**
 * Every entry that a consumer pulls comes through here, from wherever it was delivered. Promise: it is taken in flight once, decoded, and
 * handed to the handlers, or without any to the applier; what cannot be processed is settled as a dead letter at once.
 */
import type { Applier } from '../apply/applier.ts'
import type { Settled, SettledLetter } from '../apply/settled.ts'
import { isPassing } from '../support/errors.ts'
import type { Fields } from '../declare/fields.ts'
import type { HandlerPool } from '../handle/handler-pool.ts'
import type { InFlight } from '../apply/in-flight.ts'
import { firstDelivery, type Delivery, type PastDeliveries } from '../handle/past-deliveries.ts'
import { isDecodeFailure, type Decoder, type Entry } from '../declare/stream.ts'
import type { ConsumerEvents } from './consumer-events.ts'
import { pairsOf, type RawEntry } from '../redis/replies.ts'

export interface IntakeParts<F extends Fields> {
  readonly decoder: Decoder<F>
  readonly inFlight: InFlight
  readonly events: Pick<ConsumerEvents<F>, 'delivered' | 'deadLettered'>
  readonly past: Pick<PastDeliveries, 'of'>
  /** Undefined: no handler decides, each entry is applied. */
  readonly pool: Pick<HandlerPool<F>, 'push'> | undefined
  readonly applier: Pick<Applier, 'push'>
  /** A failure that does not pass, or a bug. */
  readonly onFailure: (error: unknown) => void
}

export class Intake<F extends Fields> {
  readonly #parts: IntakeParts<F>

  constructor(parts: IntakeParts<F>) {
    this.#parts = parts
  }

  /** Takes over what is not in flight yet; never blocks. `from`: of claimed ones, the consumer for which they were pending. */
  receive(raw: readonly RawEntry[], how: Delivery, from?: string): void {
    const { events, pool, applier } = this.#parts
    const isRedelivery = how !== 'new'
    const { entries, settled } = this.#takeIn(raw, isRedelivery)
    events.delivered(entries, how, from)
    if (pool === undefined) {
      for (const entry of entries)
        settled.push({ kind: 'apply', id: entry.id, entry, isRedelivery })
    } else if (isRedelivery && entries.length > 0) {
      this.#handleAgain(pool, entries, how)
    } else entries.forEach((entry) => pool.push(entry))
    applier.push(settled)
  }

  /** The bodies of entries are gone; `isSettled`: their dead letters are written. */
  lost(ids: readonly string[], isSettled: boolean): void {
    const letters = ids.map(lostLetter)
    if (isSettled) this.#parts.events.deadLettered(letters)
    else this.#parts.applier.push(letters.map(redelivered))
  }

  /** Entries that were not in flight before, decoded, and the dead letters of those that cannot be. */
  #takeIn(
    raw: readonly RawEntry[],
    isRedelivery: boolean,
  ): { readonly entries: Entry<F>[]; readonly settled: Settled[] } {
    const { inFlight, decoder } = this.#parts
    const entries: Entry<F>[] = []
    const settled: Settled[] = []
    for (const { id, flat, bytes } of raw) {
      // History and claims show entries in flight again.
      if (!inFlight.take(id, bytes)) continue
      if (flat === null) {
        settled.push({ kind: 'dead-letter', ...lostLetter(id), isRedelivery })
        continue
      }
      const decoded = decoder.decode(id, flat)
      if (isDecodeFailure(decoded)) {
        const error = decoded.problem
        const letter = { id, reason: 'undecodable', error, carried: pairsOf(flat) } as const
        settled.push({ kind: 'dead-letter', ...letter, isRedelivery })
      } else {
        entries.push(decoded)
      }
    }
    return { entries, settled }
  }

  /** Entries that were delivered before. They keep their place while we ask what is known of them. */
  #handleAgain(
    pool: Pick<HandlerPool<F>, 'push'>,
    entries: readonly Entry<F>[],
    how: Delivery,
  ): void {
    const ids = entries.map(({ id }) => id)
    const past = this.#parts.past.of(ids, how)
    past.catch((error: unknown) => {
      // A passing failure gets here only while stopping: the entries are given back.
      if (!isPassing(error)) this.#parts.onFailure(error)
    })
    entries.forEach((entry, at) => pool.push(entry, async () => (await past)[at] ?? firstDelivery))
  }
}

/** The dead letter of an entry whose body is gone. */
function lostLetter(id: string): SettledLetter {
  return { id, reason: 'lost', error: 'the entry was trimmed or deleted before it was processed' }
}

/** The dead letter of an entry that was delivered before. */
function redelivered(letter: SettledLetter): Settled {
  return { kind: 'dead-letter', ...letter, isRedelivery: true }
}
