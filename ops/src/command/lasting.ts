/** Says what lasts: once when it begins, once a minute while it lasts, and once when it is over. */
import type { Log } from './log.ts'

const againEveryMs = 60_000

export class Lasting {
  readonly #log: Pick<Log, 'info' | 'warn'>
  #timer: NodeJS.Timeout | undefined
  #since = 0
  #again = ''

  constructor(log: Pick<Log, 'info' | 'warn'>) {
    this.#log = log
  }

  get isOn(): boolean {
    return this.#timer !== undefined
  }

  /** While it is on, the text that is said again is another one from now on, and nothing else happens. */
  begin(first: string, again: string): void {
    this.#again = again
    if (this.isOn) return
    this.#since = performance.now()
    this.#log.warn(first)
    this.#timer = setInterval(() => this.#log.warn(this.#again), againEveryMs).unref()
  }

  /** Does nothing when it is not on. */
  end(line: string): void {
    if (!this.isOn) return
    this.cease()
    const seconds = ((performance.now() - this.#since) / 1000).toFixed(1)
    this.#log.info(`${line}, after ${seconds} s.`)
  }

  /** Ends without a word. */
  cease(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
