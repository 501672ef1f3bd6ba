/** How safe a confirmed check-in is from a crash of the server: docs/guarantees.md says what each mode means. */
import type { Millrace } from 'millrace'
import type { BoundedCalls } from '../limits/bounded-calls.ts'

/**
 * `none`: no append-only file. `everysec`, `always`: how often it is forced to disk. `os`: whenever the system likes
 * (appendfsync no). `aof`: there is one, and its mode is not told to us. `unknown`: nothing is told.
 */
export type DurabilityMode = (typeof durabilityModes)[number]

export const durabilityModes = ['none', 'everysec', 'always', 'os', 'aof', 'unknown'] as const

const askEveryMs = 5000

/** Asks the server, at most every 5 s. */
export class Durability {
  readonly #calls: BoundedCalls
  readonly #millrace: Pick<Millrace, 'send'>
  #mode: DurabilityMode = 'unknown'
  #askedAt = -Infinity

  constructor(calls: BoundedCalls, millrace: Pick<Millrace, 'send'>) {
    this.#calls = calls
    this.#millrace = millrace
  }

  /** Never rejects: when the server cannot be asked, it is what was known last. */
  async mode(): Promise<DurabilityMode> {
    if (performance.now() - this.#askedAt < askEveryMs) return this.#mode
    const mode = (await this.#configured()) ?? (await this.#informed())
    if (mode !== undefined) {
      this.#mode = mode
      this.#askedAt = performance.now()
    }
    return this.#mode
  }

  async #configured(): Promise<DurabilityMode | undefined> {
    const reply = await this.#ask('CONFIG', 'GET', 'append*')
    if (!Array.isArray(reply)) return undefined
    const valueOf = (name: string): unknown => reply[reply.indexOf(name) + 1]
    if (valueOf('appendonly') === 'no') return 'none'
    const fsync = valueOf('appendfsync')
    if (fsync === 'no') return 'os'
    return fsync === 'always' || fsync === 'everysec' ? fsync : undefined
  }

  /** Hosted servers refuse CONFIG, and some users may not use it. */
  async #informed(): Promise<DurabilityMode | undefined> {
    const info = await this.#ask('INFO', 'persistence')
    if (typeof info !== 'string') return undefined
    const isOn = /^aof_enabled:([01])/m.exec(info)?.[1]
    if (isOn === undefined) return 'unknown'
    return isOn === '1' ? 'aof' : 'none'
  }

  async #ask(...command: string[]): Promise<unknown> {
    try {
      return await this.#calls.run(() => this.#millrace.send(...command))
    } catch {
      // Refused or away; why is for the log of the connection.
      return undefined
    }
  }
}
