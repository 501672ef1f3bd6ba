/**
 * Notices that a server fell silent: a half-open connection may look like a good one for many minutes. Promise: no command
 * waits for ever, because a silent connection is given up.
 */
import type { Client } from './client.ts'

const pingEveryMs = 2000
/** An answer takes so long (ms) at most. */
const silentMaxMs = 6000

export class SilenceWatch {
  readonly #onSilent: (client: Client) => void
  readonly #isPinging: boolean
  #pings: NodeJS.Timeout | undefined
  #answeredAt = -Infinity

  /** @param options.isPinging false where pings would wait behind a blocking read: then each command has a deadline of its own. */
  constructor(onSilent: (client: Client) => void, { isPinging }: { readonly isPinging: boolean }) {
    this.#onSilent = onSilent
    this.#isPinging = isPinging
  }

  /** Watches this client from now on, until {@link end}. */
  begin(client: Client): void {
    if (!this.#isPinging) return
    this.#pings = setTimeout(() => this.#watch(client), pingEveryMs).unref()
  }

  end(): void {
    clearTimeout(this.#pings)
  }

  /** A reply came: no ping is needed for a while. */
  answered(): void {
    this.#answeredAt = performance.now()
  }

  /** A timer for one command, to be cleared when its reply is there. @param ms default: none, where pings go out. */
  deadline(client: Client, ms?: number): NodeJS.Timeout | undefined {
    const limitMs = ms ?? (this.#isPinging ? undefined : silentMaxMs)
    if (limitMs === undefined) return undefined
    return setTimeout(() => this.#onSilent(client), limitMs)
  }

  /** Pings as soon as nothing was answered for so long, counted from the last answer. */
  #watch(client: Client): void {
    const restMs = this.#answeredAt + pingEveryMs - performance.now()
    if (restMs <= 0) this.#ping(client)
    const nextMs = restMs > 0 ? Math.ceil(restMs) : pingEveryMs
    this.#pings = setTimeout(() => this.#watch(client), nextMs).unref()
  }

  /** Bounds the time of every command: a silent connection is given up, and its commands reject. */
  #ping(client: Client): void {
    const silent = setTimeout(() => this.#onSilent(client), silentMaxMs).unref()
    client
      .sendCommand(['PING'])
      .catch(() => undefined) // A lost connection is reported by its error event.
      .finally(() => clearTimeout(silent))
  }
}
