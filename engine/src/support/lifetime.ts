/**
 * How long a consumer or a reader runs. Promise: it runs once, and ends when it is asked to, in time if a time is given, whatever a user's
 * function in it does; and with its Millrace at the latest.
 */
import { MillraceError } from './errors.ts'
import { checkOptions, numberFrom, type Rules } from './option-values.ts'

export interface StopOptions {
  /** What still runs after so many milliseconds is left behind and given back. Default: Infinity, it is waited for. */
  readonly withinMs?: number
}

const rules: Rules<StopOptions> = { withinMs: numberFrom(0, Infinity) }
// A longer timer would fire at once.
const timerMaxMs = 2 ** 31 - 1

export class Lifetime {
  readonly #what: string
  readonly #runs: Runs
  readonly #stopping = new AbortController()
  readonly #leaving = new AbortController()
  #run: Promise<void> | undefined

  /** @param what runs, for errors, like `Consumer "ada"` */
  constructor(what: string, runs: Runs) {
    this.#what = what
    this.#runs = runs
  }

  /** Aborts when it shall end. */
  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  /** @throws {TypeError} for a second run. {MillraceError} CLOSED, and what the work throws. */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.#run !== undefined) throw new TypeError(`${this.#what} runs once`)
    this.#runs.begin(this, this.#what)
    this.#run = work().finally(() => this.#runs.ended(this))
    await this.#run
  }

  /** Shall end, without anybody waiting for it here. */
  end(): void {
    this.#stopping.abort()
  }

  /** Resolves when it has ended. @throws {RangeError} when the time is none. {TypeError} for an option that nobody knows. */
  async stop(options: StopOptions = {}): Promise<void> {
    checkStop(`stop ${this.#what}`, options)
    const { withinMs = Infinity } = options
    this.#stopping.abort()
    const leave = (): void => this.#leaving.abort()
    const timer = withinMs <= timerMaxMs ? setTimeout(leave, withinMs) : undefined
    await this.#run?.catch(() => undefined) // Whoever runs it gets its failure.
    clearTimeout(timer)
  }

  /** Resolves when the work is done, or is to be left behind: then its failure is nobody's. @throws what the work throws. */
  async unlessLeft(work: Promise<void>): Promise<void> {
    const { signal } = this.#leaving
    work.catch(() => undefined)
    const left = new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve())
    })
    await Promise.race([work, left])
  }
}

/** @throws {TypeError} or {RangeError} naming the option. */
export function checkStop(action: string, options: StopOptions): void {
  checkOptions(action, options, rules)
}

/** What runs on a connection, so that it ends before the connection is closed. */
export class Runs {
  readonly #running = new Set<Lifetime>()
  #isClosed = false

  /** @throws {MillraceError} CLOSED. */
  begin(run: Lifetime, what: string): void {
    this.checkOpen(`run ${what}`)
    this.#running.add(run)
  }

  /** @throws {MillraceError} CLOSED: what repeats itself through outages would never end. */
  checkOpen(action: string): void {
    if (this.#isClosed)
      throw new MillraceError('CLOSED', `Cannot ${action}: the Millrace is closed`)
  }

  ended(run: Lifetime): void {
    this.#running.delete(run)
  }

  /** Stops all of them. Nothing runs here any more. */
  async close(options: StopOptions): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#running].map(async (run) => run.stop(options)))
  }
}
