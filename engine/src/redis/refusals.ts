/**
 * Knows whether the server takes work. Promise: a connection that only refuses is exchanged for a new one, because its
 * name may lead to another server by now; in steps that grow to seconds, because it may lead to the same one. Beginning
 * and end are told once.
 */
import { backoffMs } from '../support/backoff.ts'
import { MillraceError } from '../support/errors.ts'
import { wait } from '../support/persist.ts'
import type { Reply } from './connection.ts'

export interface RefusalsParts {
  readonly send: (args: readonly string[]) => Promise<Reply>
  /** Connects anew and leaves the old connection when the new one is there. Never rejects. */
  readonly exchange: () => Promise<void>
  readonly onRefused?: ((error: MillraceError) => void) | undefined
  readonly onAccepted?: (() => void) | undefined
}

/** Refused for so long, it is told, and the connection is exchanged. READONLY needs no such proof: the server is wrong. */
const lastingMs = 3000
const exchangeEveryMs = 1000
/**
 * A script that writes nothing: the server refuses it whenever it refuses writes, whatever keys its user may write. A full
 * server refuses only what may fill it.
 */
const question = { drains: '#!lua flags=allow-oom\nreturn 1', fills: '#!lua\nreturn 1' }

/** What is asked. */
export interface Question {
  /** Whether it is about appending, too, which a full server refuses; default false: about all that it takes when it is full. */
  readonly fills?: boolean
}

/** From the first refusal until work is taken again. */
interface Episode {
  latest: MillraceError
  readonly since: number
  isTold: boolean
  readonly over: AbortController
}

export class Refusals {
  readonly #parts: RefusalsParts
  #episode: Episode | undefined
  #exchangedAt = -Infinity
  #hasEnded = false

  constructor(parts: RefusalsParts) {
    this.#parts = parts
  }

  /** Why work is refused; undefined while it is taken, or refused for a moment only. */
  get current(): MillraceError | undefined {
    return this.#episode?.isTold === true ? this.#episode.latest : undefined
  }

  /** Called with each error reply of the server. */
  met(error: MillraceError): void {
    if (!isRefusal(error) || this.#hasEnded) return
    if (this.#episode !== undefined) {
      this.#episode.latest = error
      return
    }
    const over = new AbortController()
    this.#episode = { latest: error, since: performance.now(), isTold: false, over }
    void this.#watch(this.#episode)
  }

  /** A new connection is there: what was refused may be taken. */
  connected(): void {
    if (this.#episode !== undefined) void this.ask().catch(() => undefined) // The watch goes on.
  }

  /**
   * Asks the server whether it takes work. That reads succeed proves nothing: a replica serves them.
   * @throws {MillraceError} READ_ONLY, SERVER_BUSY, UNREACHABLE, DISCONNECTED, TIMEOUT; with `fills` SERVER_FULL.
   */
  async ask({ fills = false }: Question = {}): Promise<void> {
    let full: MillraceError | undefined
    try {
      // A node of a cluster that is down refuses only what has a key.
      const isDown = this.#episode?.latest.message.startsWith('CLUSTERDOWN') === true
      const script = fills ? question.fills : question.drains
      await this.#parts.send(['EVAL', script, ...(isDown ? ['1', 'm'] : ['0'])])
    } catch (error) {
      if (isRefusal(error) || isLoss(error)) throw error
      // Any other error is an answer, too: a user without this right may still do its work.
      if (error instanceof MillraceError && error.code === 'SERVER_FULL') full = error
    }
    this.#accepted()
    if (full !== undefined) throw full
  }

  /** For good. */
  end(): void {
    this.#hasEnded = true
    this.#episode?.over.abort()
  }

  async #watch(episode: Episode): Promise<void> {
    const { signal } = episode.over
    for (let step = 0; !signal.aborted; step += 1) {
      if (isLasting(episode)) {
        this.#tell(episode)
        await this.#exchange()
      }
      await this.ask().catch(() => undefined) // Then it is asked again.
      await wait(backoffMs(step, { firstMs: 250, mostMs: 5000 }), signal)
    }
  }

  async #exchange(): Promise<void> {
    if (performance.now() < this.#exchangedAt + exchangeEveryMs) return
    this.#exchangedAt = performance.now()
    await this.#parts.exchange()
  }

  #tell(episode: Episode): void {
    if (episode.isTold) return
    episode.isTold = true
    this.#parts.onRefused?.(episode.latest)
  }

  #accepted(): void {
    const episode = this.#episode
    this.#episode = undefined
    episode?.over.abort()
    if (episode?.isTold === true) this.#parts.onAccepted?.()
  }
}

function isLasting({ latest, since }: Episode): boolean {
  return latest.code === 'READ_ONLY' || performance.now() >= since + lastingMs
}

/** It refuses what writes, whatever it is. A full server does not: all but appending goes on. */
function isRefusal(error: unknown): boolean {
  return error instanceof MillraceError && ['READ_ONLY', 'SERVER_BUSY'].includes(error.code)
}

/** The server did not answer. */
export function isLoss(error: unknown): boolean {
  const losses = ['UNREACHABLE', 'CLOSED', 'DISCONNECTED', 'TIMEOUT']
  return error instanceof MillraceError && losses.includes(error.code)
}
