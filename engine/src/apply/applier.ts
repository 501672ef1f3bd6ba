/**
 * Applies what was settled, in batches. Promise: each entry leaves the pending entries list together with its effects
 * or its dead letter, or it stays pending; an unknown outcome is asked again, which the gate makes safe.
 * Guards:
 *   failed: applies nothing behind a batch that failed
 *   busy: asks again while the server refuses, and leaves nothing to those who look for strays
 *   alone: entries that are tried alone are in flight until they are settled
 */
import { refusalText } from './dead-letter.ts'
import type { Gate } from './gate.ts'
import { atMsOf, tracedEntry, type CallTimes, type Settled } from './settled.ts'
import { isPassing } from '../support/errors.ts'
import type { InFlight } from './in-flight.ts'
import type { GroupKeys } from '../redis/keys.ts'
import { compareIds } from '../support/entry-id.ts'
import { persist } from '../support/persist.ts'
import type { Connection } from '../redis/connection.ts'
import type { Refusal, GateAnswer } from '../scripts/apply.ts'
import type { ConsumerTracing } from '../trace/tracing.ts'

// A second batch is folded and sent while the server works on the first; more would only queue up there.
const batchesInFlightMax = 2
// Of all entries of a batch: its rows may hold their texts, and its dead letters their bodies. About 4 ms of the server.
const batchBytesMax = 1_000_000

export interface ApplierParts {
  readonly connection: Connection
  readonly gate: Gate
  readonly keys: GroupKeys
  readonly who: { readonly group: string; readonly consumer: string; readonly token: string }
  readonly inFlight: InFlight
  readonly batchMax: number
  /** Aborted: no new attempts; what cannot be applied now stays pending. */
  readonly signal: AbortSignal
  /** The gate says that the lease is not ours: takes it again, or throws that we are superseded. */
  readonly renewLease: () => Promise<void>
  /** Undefined: nothing is traced. */
  readonly tracing: ConsumerTracing | undefined
  /** Handlers have decided about the entries. */
  readonly isHandled: boolean
  /** After the server has confirmed. The entries count as in flight until it resolves. */
  readonly onApplied: (settled: readonly Settled[], call: CallTimes) => void | Promise<void>
  /** The gate refused them: they are not pending for this consumer any more. */
  readonly onSuperseded: (ids: readonly string[]) => void
  /** A failure that does not pass, or a bug. The applier stops. */
  readonly onFailure: (error: unknown) => void
}

export class Applier {
  readonly #parts: ApplierParts
  #queue: Settled[] = []
  #running = new Set<Promise<void>>()
  /** Handlers settle one by one: what settles in one turn of the event loop goes out together. */
  #gathering: NodeJS.Immediate | undefined
  #hasFailed = false

  constructor(parts: ApplierParts) {
    this.#parts = parts
  }

  /** Takes entries over; never blocks. Their number is bounded by the room in flight. */
  push(settled: readonly Settled[]): void {
    for (const item of settled) this.#queue.push(item)
    if (this.#queue.length >= this.#parts.batchMax) this.#startAll()
    else this.#gathering ??= setImmediate(() => this.#startAll())
  }

  #startAll(): void {
    clearImmediate(this.#gathering)
    this.#gathering = undefined
    while (this.#running.size < batchesInFlightMax && this.#queue.length > 0) this.#start()
  }

  /** Resolves when everything that was pushed is applied or left pending. */
  async done(): Promise<void> {
    this.#startAll()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #start(): void {
    const batch = this.#queue.splice(0, this.#fitting())
    const running: Promise<void> = this.#finish(batch).then(() => {
      this.#running.delete(running)
      if (this.#queue.length > 0) this.#start()
    })
    this.#running.add(running)
  }

  /** How many of the queue go into a batch. */
  #fitting(): number {
    const { inFlight, batchMax } = this.#parts
    if (inFlight.bytes <= batchBytesMax) return batchMax
    let bytes = 0
    const end = this.#queue.findIndex(({ id }, at) => {
      bytes += inFlight.bytesOf(id)
      return at > 0 && (at === batchMax || bytes > batchBytesMax)
    })
    return end < 0 ? batchMax : end
  }

  async #finish(batch: readonly Settled[]): Promise<void> {
    try {
      if (!this.#hasFailed) await this.#traced(batch)
    } catch (error) {
      // Passing failures get here only while stopping: the entries stay pending, for whoever comes next.
      if (!isPassing(error)) {
        this.#hasFailed = true
        this.#parts.onFailure(error)
      }
    } finally {
      this.#parts.inFlight.release(batch.map(({ id }) => id))
    }
  }

  #traced(batch: readonly Settled[]): Promise<void> {
    const { tracing, isHandled } = this.#parts
    if (tracing === undefined) return this.#apply(batch)
    const entries = batch.map(tracedEntry)
    return tracing.settle({ entries, isHandled }, () => this.#apply(batch))
  }

  /** Applies a batch; the answers of the gate make it smaller until it goes through. */
  async #apply(batch: readonly Settled[]): Promise<void> {
    let settled = [...batch].sort(byId)
    while (settled.length > 0) {
      const began = performance.now()
      const answer = await this.#ask(settled)
      if (answer.kind === 'applied') {
        const callMs = performance.now() - began
        await this.#parts.onApplied(settled, { atMs: atMsOf(answer.began), callMs })
        return
      }
      if (answer.kind === 'superseded') await this.#renewLease()
      if (answer.kind === 'gone') settled = this.#withoutSuperseded(settled, answer.still)
      if (answer.kind === 'refused') settled = await this.#withoutRefused(settled, answer.refusals)
    }
  }

  async #ask(settled: readonly Settled[]): Promise<GateAnswer> {
    const { signal, gate, keys, who } = this.#parts
    return await persist(signal, () => gate.acknowledgeAndApply(keys, who, settled))
  }

  async #renewLease(): Promise<void> {
    await persist(this.#parts.signal, this.#parts.renewLease)
  }

  #withoutSuperseded(settled: readonly Settled[], still: ReadonlySet<string>): Settled[] {
    this.#parts.onSuperseded(settled.flatMap(({ id }) => (still.has(id) ? [] : [id])))
    return settled.filter(({ id }) => still.has(id))
  }

  /**
   * Makes dead letters of the entries that a hash cannot take. Where several entries together would overflow a
   * counter, each is tried alone, so that those that still fit go through.
   */
  async #withoutRefused(
    settled: readonly Settled[],
    refusals: ReadonlyMap<string, Refusal>,
  ): Promise<Settled[]> {
    const { remaining, alone } = separateRefused(this.#parts.gate, settled, refusals)
    for (const item of alone) await this.#apply([item])
    return remaining
  }
}

/** Splits a refused batch: entries to try again, dead letters among them, and entries to try alone. */
export function separateRefused(
  gate: Gate,
  settled: readonly Settled[],
  refusals: ReadonlyMap<string, Refusal>,
): { remaining: Settled[]; alone: Settled[] } {
  const remaining: Settled[] = []
  const alone: Settled[] = []
  for (const item of settled) {
    const key =
      item.kind === 'apply'
        ? gate.keysOf(item.entry).find((touched) => refusals.has(touched))
        : undefined
    const refusal = key === undefined ? undefined : refusals.get(key)
    if (refusal === undefined) remaining.push(item)
    else if (refusal.code === 'overflow' && settled.length > 1) alone.push(item)
    else remaining.push(refused(item, key ?? '', refusal))
  }
  return { remaining, alone }
}

function refused(settled: Settled, key: string, why: Refusal): Settled {
  const { isRedelivery, wasAlone } = settled
  const error = `Cannot apply to "${key}": ${refusalText(why)}`
  const known = { isRedelivery: isRedelivery ?? false, wasAlone: wasAlone ?? false }
  return { kind: 'dead-letter', reason: 'refused', error, ...tracedEntry(settled), ...known }
}

function byId(a: Settled, b: Settled): number {
  return compareIds(a.id, b.id)
}
