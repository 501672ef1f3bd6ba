/** Keeps a stream bounded: runs `Millrace.trim` again and again. Promise: as there, nothing that is needed goes. */
import { isPassing } from '../support/errors.ts'
import type { Fields } from '../declare/fields.ts'
import { checkObserver } from '../consume/given-options.ts'
import { checkOptions, integerFrom, observerOf, type Rules } from '../support/option-values.ts'
import { ObserverCalls } from '../support/observer-calls.ts'
import { wait } from '../support/persist.ts'
import { checkStream, type Stream } from '../declare/stream.ts'
import { checkHolders, trimRules, type TrimOptions, type TrimOutcome } from './trim.ts'

/** What a `Millrace` trims by. */
interface Trims {
  trim<F extends Fields>(stream: Stream<F>, options?: TrimOptions): Promise<TrimOutcome>
}

/** What a trimmer tells while it runs. */
export interface TrimmerObserver {
  /** A run is over; also when it removed nothing, or found neither a group nor a reader (`unread`). */
  ran?(outcome: TrimOutcome): void
  /** A run broke off for a reason that passes by itself; the next one goes on. */
  failed?(error: Error): void
}

export interface TrimmerOptions extends Omit<TrimOptions, 'dryRun' | 'signal'> {
  /** Pause between two runs (ms), 1 or more, default 10,000. */
  readonly everyMs?: number
  /** Stops it, as `stop` does. */
  readonly signal?: AbortSignal
  readonly observer?: TrimmerObserver
}

const { keepEntries, keepMs, groups, readers, batch, signal } = trimRules
const rules: Rules<TrimmerOptions> = {
  ...{ keepEntries, keepMs, groups, readers, batch, signal },
  // The longest time that a timer of Node takes.
  everyMs: integerFrom(1, 2 ** 31 - 1),
  observer: observerOf('ran', 'failed'),
}

export class Trimmer<F extends Fields = Fields> {
  readonly #millrace: Trims
  readonly #stream: Stream<F>
  readonly #options: TrimmerOptions & { readonly everyMs: number }
  readonly #stopping = new AbortController()
  #run: Promise<void> | undefined

  /** It does nothing until it is run. @throws {RangeError} or {TypeError} naming the option that cannot be used. */
  constructor(millrace: Trims, stream: Stream<F>, options: TrimmerOptions = {}) {
    checkStream('make a trimmer', stream)
    checkOptions(`make a trimmer of stream "${stream.key}"`, options, rules)
    checkHolders(options)
    checkObserver('make a trimmer', options.observer, { ran: true, failed: true })
    const { everyMs = 10_000 } = options
    this.#millrace = millrace
    this.#stream = stream
    this.#options = { ...options, everyMs }
  }

  /** Works until it is stopped. @throws {MillraceError} NO_STREAM, WRONG_TYPE and other failures that do not pass. */
  async run(): Promise<void> {
    if (this.#run !== undefined) throw new TypeError('A trimmer runs once')
    this.#run = this.#work()
    await this.#run
  }

  /** Ends after the script call that is under way. Safe to call twice or before the run. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#run?.catch(() => undefined) // Whoever runs the trimmer gets its failure.
  }

  async #work(): Promise<void> {
    const { observer = {}, signal: outer, everyMs, ...options } = this.#options
    const calls = new ObserverCalls(observer, `the trimmer of "${this.#stream.key}"`)
    const own = this.#stopping.signal
    const signal = outer === undefined ? own : AbortSignal.any([own, outer])
    while (!signal.aborted) {
      try {
        const outcome = await this.#millrace.trim(this.#stream, { ...options, signal })
        void calls.tell('ran', outcome)
      } catch (error) {
        if (!isPassing(error)) throw error
        void calls.tell('failed', error)
      }
      await wait(everyMs, signal)
    }
  }
}
