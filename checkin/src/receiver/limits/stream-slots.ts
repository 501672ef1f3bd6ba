/** The streams of check-ins that are open. Promise: one client alone cannot keep the others out. */

export interface StreamLimits {
  /** Streams at once in this process; default 64. Each takes some megabytes (32 unread ones: 125 MB of RSS). */
  readonly max: number
  /** Of them for one key, user or address; default 16. */
  readonly each: number
}

export class StreamSlots {
  readonly #limits: StreamLimits
  readonly #byClient = new Map<string, number>()
  #open = 0

  constructor({ max = 64, each = Math.max(1, Math.floor(max / 4)) }: Partial<StreamLimits> = {}) {
    this.#limits = { max, each }
  }

  /** @returns what gives the slot back; or why there is none. */
  take(client: string): (() => void) | 'full' | 'client-full' {
    const own = this.#byClient.get(client) ?? 0
    if (own >= this.#limits.each) return 'client-full'
    if (this.#open >= this.#limits.max) return 'full'
    this.#open += 1
    this.#byClient.set(client, own + 1)
    return () => this.#giveBack(client)
  }

  #giveBack(client: string): void {
    const left = (this.#byClient.get(client) ?? 1) - 1
    this.#open -= 1
    if (left === 0) this.#byClient.delete(client)
    else this.#byClient.set(client, left)
  }
}
