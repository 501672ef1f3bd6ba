/**
 * What is seen: the newest snapshot and what the open tab needs beside it, asked for again and again. Promise: a question at a time,
 * so a slow server is not asked faster than it answers; what was seen last stays, with its age, while nothing answers.
 */
import type { Millrace } from 'millrace'
import { sentence } from '../terminal/words.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { detailOf, type Detail, type Wanted } from './details.ts'

export interface Seen {
  readonly snapshot: Snapshot | null
  /** When it was there, by `now`. */
  readonly atMs: number | null
  /** Why there is nothing newer; null: there is. */
  readonly trouble: string | null
  readonly detail: Detail | null
  /** Why the open tab has nothing to show. */
  readonly detailTrouble: string | null
}

export const nothingSeen: Seen = {
  snapshot: null,
  atMs: null,
  trouble: null,
  detail: null,
  detailTrouble: null,
}

export interface FeedOptions {
  readonly millrace: Millrace
  readonly take: () => Promise<Snapshot>
  readonly everyMs: number
  readonly onSeen: (seen: Seen) => void
  /** Milliseconds of a clock that only goes on. */
  readonly now?: () => number
}

export class Feed {
  readonly #options: FeedOptions
  #seen = nothingSeen
  #wanted: Wanted | null = null
  #isPaused = false
  #isOver = false
  #timer: NodeJS.Timeout | undefined
  #asking: Promise<void> | undefined

  constructor(options: FeedOptions) {
    this.#options = options
  }

  /** Asks for the first time; later ones follow by themselves. */
  start(): void {
    void this.#look()
  }

  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  pause(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return
    this.#isPaused = isPaused
    if (!isPaused) void this.#look()
  }

  /** Asks for what the open tab needs at once, also in a pause: the person who looks has just opened it. */
  want(wanted: Wanted | null): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return
    this.#wanted = wanted
    if (wanted !== null) void this.#lookInto(wanted)
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer)
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    await this.#asking
    if (this.#isOver || this.#isPaused) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), this.#options.everyMs)
  }

  async #ask(): Promise<void> {
    const { take, now = () => performance.now() } = this.#options
    try {
      const snapshot = await take()
      if (this.#isPaused) return
      this.#see({ snapshot, atMs: now(), trouble: null })
    } catch (error) {
      this.#see({ trouble: messageOf(error) })
    }
    if (this.#wanted !== null && this.#seen.trouble === null) await this.#lookInto(this.#wanted)
  }

  async #lookInto(wanted: Wanted): Promise<void> {
    try {
      const detail = await detailOf(this.#options.millrace, wanted)
      if (wanted === this.#wanted) this.#see({ detail, detailTrouble: null })
    } catch (error) {
      if (wanted === this.#wanted) this.#see({ detail: null, detailTrouble: messageOf(error) })
    }
  }

  #see(seen: Partial<Seen>): void {
    if (this.#isOver) return
    this.#seen = { ...this.#seen, ...seen }
    this.#options.onSeen(this.#seen)
  }
}

const messageOf = (error: unknown): string =>
  sentence(error instanceof Error ? error.message : String(error))
