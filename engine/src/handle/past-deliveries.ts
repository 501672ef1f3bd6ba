/**
 * What is known of entries that were delivered before. Promise: an entry whose handler kills its process again and again stalls itself
 * alone. A delivery that was not settled is no proof against an entry, since a kill leaves it with innocents, too; so after a few
 * of them entries are handled one at a time, each settled before the next one begins, and only who was alone when the process died is
 * suspected: it waits longer each time, while the others go on.
 */
import { compareIds } from '../support/entry-id.ts'
import type { InFlight } from '../apply/in-flight.ts'
import { aloneField, type GroupKeys } from '../redis/keys.ts'
import { persist } from '../support/persist.ts'
import type { Connection } from '../redis/connection.ts'
import { asList } from '../redis/replies.ts'

/** How an entry came: delivered now, pending from before, claimed from another consumer, or due for its next attempt. */
export type Delivery = 'new' | 'pending' | 'claimed' | 'retried'

/** What is known of an entry. */
export interface Past {
  /** Failed attempts of handlers. */
  readonly failed: number
  /** How often a process died while the handler had this entry and no other. */
  readonly deaths: number
  /** When its handler may begin: beside others, alone, or alone and `later`, after a wait. */
  readonly turn: 'beside' | 'alone' | 'later'
}

/** What is known of an entry that was never delivered before. */
export const firstDelivery: Past = { failed: 0, deaths: 0, turn: 'beside' }

export interface PastDeliveriesParts {
  readonly connection: Connection
  readonly keys: GroupKeys
  readonly who: { readonly group: string; readonly consumer: string }
  readonly inFlight: InFlight
  readonly signal: AbortSignal
}

// Deliveries from which on an entry is handled alone: three were not settled.
const aloneFrom = 4

export class PastDeliveries {
  readonly #parts: PastDeliveriesParts

  constructor(parts: PastDeliveriesParts) {
    this.#parts = parts
  }

  /** In the order of the ids. Rejects only with what does not pass, or while stopping. */
  async of(ids: readonly string[], how: Delivery): Promise<Past[]> {
    const { connection, keys, signal } = this.#parts
    const command = ['HMGET', keys.attempts, ...ids, ...ids.map(aloneField)]
    const [reply, deliveries] = await Promise.all([
      persist(signal, () => connection.send(command)),
      // Who waits for its next attempt is delivered for that.
      how === 'retried' ? new Map<string, number>() : this.#deliveriesOf(ids),
    ])
    const counts = asList(reply).map(countOf)
    return ids.map((id, at) => {
      const [failed = 0, deaths = 0] = [counts[at], counts[ids.length + at]]
      const isOften = (deliveries.get(id) ?? 1) >= aloneFrom
      if (deaths > 0) return { failed, deaths, turn: how === 'retried' ? 'alone' : 'later' }
      return { failed, deaths, turn: isOften ? 'alone' : 'beside' }
    })
  }

  /** Notes that the handler begins with this entry alone: should the process die, that was death number `deaths`. */
  async begin(id: string, deaths: number): Promise<void> {
    const { connection, keys, signal } = this.#parts
    const command = ['HSET', keys.attempts, aloneField(id), String(deaths)]
    await persist(signal, () => connection.send(command))
  }

  /** It was handled alone, and nobody died. Best effort: else it waits once more for nothing. */
  async end(id: string): Promise<void> {
    const { connection, keys } = this.#parts
    await connection.send(['HDEL', keys.attempts, aloneField(id)]).catch(() => undefined)
  }

  async #deliveriesOf(ids: readonly string[]): Promise<Map<string, number>> {
    const { connection, keys, who, inFlight, signal } = this.#parts
    const [first = '-', last = '+'] = endsOf(ids)
    // Others of ours may lie between them.
    const count = String(ids.length + inFlight.size)
    const command = ['XPENDING', keys.stream, who.group, first, last, count, who.consumer]
    const rows = asList(await persist(signal, () => connection.send(command))).map(asList)
    return new Map(rows.map(([id, , , deliveries]) => [String(id), Number(deliveries)]))
  }
}

function endsOf(ids: readonly string[]): (string | undefined)[] {
  const ascending = ids.toSorted(compareIds)
  return [ascending.at(0), ascending.at(-1)]
}

/** Somebody may have written there: what is no number must not count for ever. */
function countOf(count: unknown): number {
  return Number.parseInt(String(count), 10) || 0
}
