/**
 * Looks again and again, once for all who watch. Promise: while nobody watches nothing is asked; while the server is away the
 * last snapshot stays, with its age.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isPassing, MillraceError, type Millrace } from 'millrace'
import { find, look, type Found, type Look, type LookOptions } from './look/look.ts'
import { snapshotOf } from './snapshot-of.ts'
import type { Snapshot } from './snapshot.ts'

export interface SnapshotsOptions extends LookOptions {
  /** Time between two looks in milliseconds, default 1,000. */
  readonly everyMs?: number
  /** Rates are taken over so many milliseconds, default 5,000; over one look at least. */
  readonly ratesOverMs?: number
  /** Streams are looked for so often, in milliseconds, default 10,000: that walks over the keys of the server. */
  readonly findEveryMs?: number
}

/** What is known at this moment. */
export interface Known {
  /** The last snapshot; null before the first. */
  readonly snapshot: Snapshot | null
  /** Milliseconds since it was taken; null without one. */
  readonly ageMs: number | null
  /** Why there is no newer one; null when the last look succeeded. */
  readonly failure: MillraceError | null
}

type Watcher = (known: Known) => void

export class Snapshots {
  readonly #millrace: Pick<Millrace, 'send' | 'countEntries'>
  readonly #options: SnapshotsOptions
  readonly #everyMs: number
  readonly #watchers = new Set<Watcher>()
  #looks: Look[] = []
  #found: { readonly what: Found; readonly at: number } | undefined
  #latest: { readonly snapshot: Snapshot; readonly at: number } | undefined
  #failure: MillraceError | null = null
  #taking: Promise<Snapshot> | undefined
  #loop: AbortController | undefined

  constructor(millrace: Pick<Millrace, 'send' | 'countEntries'>, options: SnapshotsOptions = {}) {
    this.#millrace = millrace
    this.#options = options
    this.#everyMs = options.everyMs ?? 1000
  }

  /** The last snapshot with its age; asks nothing. */
  get known(): Known {
    const { snapshot = null, at = null } = this.#latest ?? {}
    const ageMs = at === null ? null : Math.round(performance.now() - at)
    return { snapshot, ageMs, failure: this.#failure }
  }

  /**
   * The last snapshot if it is no older than `maxAgeMs`, default 0; else a new one. Callers of the same time share a look.
   * @throws {MillraceError} when the server does not answer.
   */
  async take({ maxAgeMs = 0 }: { readonly maxAgeMs?: number } = {}): Promise<Snapshot> {
    const { snapshot, ageMs } = this.known
    if (snapshot !== null && ageMs !== null && ageMs <= maxAgeMs && maxAgeMs > 0) return snapshot
    this.#taking ??= this.#take().finally(() => (this.#taking = undefined))
    return await this.#taking
  }

  /**
   * Calls the watcher after each look, also after one that failed; begins at once. Looks go on while anybody watches.
   * @returns what ends it.
   */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    if (this.#loop === undefined) {
      this.#loop = new AbortController()
      void this.#run(this.#loop.signal)
    }
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size > 0) return
      this.#loop?.abort()
      this.#loop = undefined
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const began = performance.now()
      await this.take().catch(() => undefined) // It is told as the failure.
      if (signal.aborted) return
      for (const watcher of this.#watchers) watcher(this.known)
      const leftMs = Math.max(0, this.#everyMs - (performance.now() - began))
      await delay(leftMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #take(): Promise<Snapshot> {
    try {
      const now = await look(this.#millrace, this.#options, await this.#streams())
      const snapshot = snapshotOf(now, this.#before(now))
      this.#looks = [...this.#looks.filter(({ atMs }) => this.#isRecent(atMs, now)), now]
      this.#latest = { snapshot, at: performance.now() }
      this.#failure = null
      return snapshot
    } catch (error) {
      this.#failure = error instanceof MillraceError ? error : null
      // Another server may be there afterwards.
      if (!isPassing(error)) this.#looks = []
      throw error
    }
  }

  async #streams(): Promise<Found | undefined> {
    const { streams, findEveryMs = 10_000 } = this.#options
    if (streams !== undefined) return undefined
    if (this.#found === undefined || performance.now() - this.#found.at >= findEveryMs) {
      this.#found = { what: await find(this.#millrace), at: performance.now() }
    }
    return this.#found.what
  }

  /** The oldest look that rates are taken over, or the one just before. */
  #before(now: Look): Look | undefined {
    return this.#looks.find(({ atMs }) => this.#isRecent(atMs, now)) ?? this.#looks.at(-1)
  }

  #isRecent(atMs: number, now: Look): boolean {
    const overMs = this.#options.ratesOverMs ?? 5000
    return atMs < now.atMs && now.atMs - atMs <= overMs
  }
}
