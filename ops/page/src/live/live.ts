/** The line to the console: what it last told, and how fresh that is. One for the whole page. */
import type { GroupName, History, Trouble, View } from '../../../src/console/wire.ts'
import { ask, base, queryText } from './api.ts'
import { Moments } from './moments.ts'

export type Connection = 'connecting' | 'live' | 'paused' | 'reconnecting' | 'offline'

export interface LiveState {
  readonly view: View | undefined
  readonly connection: Connection
  /** When the view came, by `performance.now()`. */
  readonly cameAt: number
  /** Since when the connection is what it is, in milliseconds of this machine's clock. */
  readonly since: number
  /** The server cannot be asked at present; undefined: it can. */
  readonly trouble: Trouble | undefined
}

/** Older than this a view is stale. */
export const staleAfterMs = 5000
/** A tab that nobody sees for so long asks no more. */
const hiddenMaxMs = 60_000
const offlineAfterMs = 30_000
const waitsMs = [1000, 2000, 4000, 8000, 15_000]

export class LiveLine {
  readonly moments = new Moments()
  readonly #listeners = new Set<() => void>()
  #state: LiveState = {
    view: undefined,
    connection: 'connecting',
    cameAt: 0,
    since: Date.now(),
    trouble: undefined,
  }
  #focus: GroupName | undefined
  #source: EventSource | undefined
  #timer: number | undefined
  #hidden: number | undefined
  #tries = 0
  #lostAt = 0

  get state(): LiveState {
    return this.#state
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Opens the line, and closes it while nobody sees the page. */
  start(): void {
    this.#open()
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this.#hidden)
      if (document.hidden) this.#hidden = window.setTimeout(() => this.#close(), hiddenMaxMs)
      else if (this.#source === undefined && this.#state.connection !== 'paused') this.#open()
    })
  }

  /** Whose consumers are wanted; undefined: those of the worst group. */
  focus(group: GroupName | undefined): void {
    if (JSON.stringify(group) === JSON.stringify(this.#focus)) return
    this.#focus = group
    if (this.#state.connection === 'paused') return
    this.#close()
    this.#open()
  }

  togglePause(): void {
    if (this.#state.connection === 'paused') this.#open('connecting')
    else {
      this.#close()
      this.#set({ connection: 'paused', since: Date.now() })
    }
  }

  /** Tries at once to reach the console. */
  retry(): void {
    this.#close()
    this.#open()
  }

  #open(connection: Connection = this.#state.connection): void {
    if (connection !== this.#state.connection) this.#set({ connection, since: Date.now() })
    const source = new EventSource(`${base}/api/events${queryText({ ...this.#focus })}`)
    this.#source = source
    source.addEventListener('snapshot', ({ data }: MessageEvent<string>) => {
      this.#came(JSON.parse(data) as View)
    })
    source.addEventListener('trouble', ({ data }: MessageEvent<string>) => {
      this.#tries = 0
      this.#reached({ trouble: JSON.parse(data) as Trouble })
    })
    source.addEventListener('error', () => this.#lost(source))
    this.#fetchHistory()
  }

  #came(view: View): void {
    this.moments.note(view)
    this.#tries = 0
    this.#reached({ view, cameAt: performance.now(), trouble: undefined })
  }

  #reached(change: Partial<LiveState>): void {
    const isNew = this.#state.connection !== 'live'
    this.#set({ ...change, ...(isNew && { connection: 'live', since: Date.now() }) })
  }

  #lost(source: EventSource): void {
    if (source !== this.#source) return
    source.close()
    if (this.#tries === 0) this.#lostAt = Date.now()
    const wait = waitsMs[Math.min(this.#tries, waitsMs.length - 1)]
    this.#tries += 1
    const isLong = Date.now() - this.#lostAt > offlineAfterMs
    this.#set({ connection: isLong ? 'offline' : 'reconnecting', since: this.#lostAt })
    clearTimeout(this.#timer)
    this.#timer = window.setTimeout(() => this.#open(), wait)
  }

  #close(): void {
    clearTimeout(this.#timer)
    this.#source?.close()
    this.#source = undefined
  }

  /** What the console saw before this page came; without it the charts begin now. */
  #fetchHistory(): void {
    ask<History>('history', {}, AbortSignal.timeout(10_000)).then(
      (history) => {
        this.moments.merge(history)
        this.#set({})
      },
      () => undefined,
    )
  }

  #set(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }
}
