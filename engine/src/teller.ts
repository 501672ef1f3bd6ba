/** Counts what a consumer does, and tells its observer. */
import type { ConsumerObserver, Delivery } from './consumer-options.ts'
import type { Settled } from './effects.ts'
import type { Fields } from './fields.ts'
import type { Retry } from './retries.ts'
import type { Entry } from './stream.ts'

/** What a consumer has done since it was started. */
export interface ConsumerCounts {
  /** Entries acknowledged with their effects. */
  applied: number
  deadLettered: number
  /** Entries taken over from other consumers. */
  claimed: number
  /** Failed attempts whose next one was scheduled. */
  retried: number
  /** Entries that the gate refused. */
  superseded: number
}

export type SettledLetter = Omit<Extract<Settled, { kind: 'dead-letter' }>, 'kind'>

export class Teller<F extends Fields> {
  readonly counts: ConsumerCounts = {
    applied: 0,
    deadLettered: 0,
    claimed: 0,
    retried: 0,
    superseded: 0,
  }
  readonly #observer: ConsumerObserver<F>

  constructor(observer: ConsumerObserver<F> = {}) {
    this.#observer = observer
  }

  delivered(entries: readonly Entry<F>[], how: Delivery): void {
    if (how === 'claimed') this.counts.claimed += entries.length
    if (entries.length > 0) this.#observer.delivered?.(entries, how)
  }

  async applied(settled: readonly Settled[]): Promise<void> {
    const entries: Entry<F>[] = []
    const letters: SettledLetter[] = []
    for (const item of settled) {
      if (item.kind === 'apply') entries.push(item.entry as Entry<F>)
      else letters.push(item)
    }
    this.counts.applied += entries.length
    if (letters.length > 0) this.deadLettered(letters)
    if (entries.length > 0) await this.#observer.applied?.(entries)
  }

  deadLettered(letters: readonly SettledLetter[]): void {
    this.counts.deadLettered += letters.length
    this.#observer.deadLettered?.(letters)
  }

  superseded(ids: readonly string[]): void {
    this.counts.superseded += ids.length
    this.#observer.superseded?.(ids)
  }

  retried({ id, attempt, error }: Retry): void {
    this.counts.retried += 1
    this.#observer.retried?.(id, attempt, error)
  }

  waiting(): void {
    this.#observer.waiting?.()
  }

  paused(isPaused: boolean): void {
    this.#observer.paused?.(isPaused)
  }
}
