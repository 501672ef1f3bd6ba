/**
 * Tells a producer when to hold back. Promise: sampling costs the server about three short commands a second, whatever
 * the load, and a sample that takes long holds up neither the next one nor whoever reads the state.
 */
import { EventLoopDelay } from '../support/event-loop-delay.ts'
import type { Fields } from '../declare/fields.ts'
import { callback, checkOptions, numberFrom, type Rules } from '../support/option-values.ts'
import { ObserverCalls } from '../support/observer-calls.ts'
import { wait } from '../support/persist.ts'
import { readServer, type Sender } from './pressure-sample.ts'
import { checkStream, type Stream } from '../declare/stream.ts'

/** Above a limit the state is `overloaded`, until the value is below nine tenths of it. 0 turns a limit off. */
export interface PressureLimits {
  /** Entries that are undelivered or pending, in the group that has most of them; default 1,000,000. */
  readonly backlogMax?: number
  /** Share of `maxmemory` in use, 0 to 1, default 0.9; without effect on a server that has no `maxmemory`. */
  readonly memoryShareMax?: number
  /** Time that this process lets its events wait (ms, 99th percentile of a sample's time), default 1,000. */
  readonly eventLoopDelayMaxMs?: number
}

/** What was measured last. Null: not measured yet, not known to the server, or not allowed to its user. */
export interface PressureSample {
  readonly backlog: number | null
  readonly memoryShare: number | null
  readonly eventLoopDelayMs: number | null
}

export type PressureReason = 'backlog' | 'memory' | 'event-loop'

export type PressureState =
  | { readonly kind: 'free' }
  | {
      readonly kind: 'overloaded'
      readonly reason: PressureReason
      /** When the next look is worth it. Add jitter before many clients are told the same. */
      readonly retryAfterMs: number
    }

export interface PressureOptions extends PressureLimits {
  /** Time between two samples (ms), 20 or more, default 1,000. */
  readonly everyMs?: number
  /** Called when the state becomes another one, also another reason. */
  readonly onChange?: (state: PressureState, sample: PressureSample) => void
}

interface Gauge {
  readonly reason: PressureReason
  readonly limit: number
  readonly read: (sample: PressureSample) => number | null
  isHigh: boolean
}

const rules: Rules<PressureOptions> = {
  backlogMax: numberFrom(0, Number.MAX_SAFE_INTEGER),
  memoryShareMax: numberFrom(0, 1),
  eventLoopDelayMaxMs: numberFrom(0, 3_600_000),
  everyMs: numberFrom(20, 60_000),
  onChange: callback,
}
const lowShare = 0.9

export class Pressure<F extends Fields = Fields> {
  readonly #millrace: Sender
  readonly #stream: Stream<F>
  readonly #everyMs: number
  readonly #calls: ObserverCalls<Pick<PressureOptions, 'onChange'>>
  readonly #gauges: readonly Gauge[]
  readonly #stopping = new AbortController()
  #sample: PressureSample = { backlog: null, memoryShare: null, eventLoopDelayMs: null }
  #state: PressureState = { kind: 'free' }
  #isAsking = false
  #run: Promise<void> | undefined

  /** It does nothing until it is run. @throws {RangeError} or {TypeError} naming the option that cannot be used. */
  constructor(millrace: Sender, stream: Stream<F>, options: PressureOptions = {}) {
    checkStream('watch the pressure', stream)
    checkOptions(`watch the pressure of stream "${stream.key}"`, options, rules)
    const { backlogMax = 1_000_000, memoryShareMax = 0.9, eventLoopDelayMaxMs = 1000 } = options
    this.#millrace = millrace
    this.#stream = stream
    this.#everyMs = options.everyMs ?? 1000
    this.#calls = new ObserverCalls(options, `the pressure of "${stream.key}"`)
    this.#gauges = [
      gauge('memory', memoryShareMax, ({ memoryShare }) => memoryShare),
      gauge('event-loop', eventLoopDelayMaxMs, ({ eventLoopDelayMs }) => eventLoopDelayMs),
      gauge('backlog', backlogMax, ({ backlog }) => backlog),
    ]
  }

  /** As of the last sample: reading it costs nothing. `free` before the first one. */
  get state(): PressureState {
    return this.#state
  }

  get sample(): PressureSample {
    return this.#sample
  }

  /** Samples until it is stopped. Never rejects: what cannot be measured now keeps its last value. */
  async run(): Promise<void> {
    this.#run ??= this.#work()
    await this.#run
  }

  /** Safe to call twice or before the run. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#run
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping
    const delay = new EventLoopDelay()
    delay.start()
    while (!signal.aborted) {
      void this.#askServer()
      await wait(this.#everyMs, signal)
      this.#take({ eventLoopDelayMs: delay.take() })
    }
    delay.stop()
  }

  async #askServer(): Promise<void> {
    // A frozen server: its next answer is worth as much as this one's.
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      this.#take(await readServer(this.#millrace, this.#stream.key))
    } catch {
      // Appending fails for the same reason, and says so; this value only ages.
    } finally {
      this.#isAsking = false
    }
  }

  #take(measured: Partial<PressureSample>): void {
    if (this.#stopping.signal.aborted) return
    this.#sample = { ...this.#sample, ...measured }
    for (const gauge of this.#gauges) {
      const value = gauge.read(this.#sample)
      const bound = gauge.isHigh ? gauge.limit * lowShare : gauge.limit
      gauge.isHigh = gauge.limit > 0 && value !== null && value > bound
    }
    const reason = this.#gauges.find(({ isHigh }) => isHigh)?.reason
    const known = this.#state.kind === 'overloaded' ? this.#state.reason : undefined
    if (reason === known) return
    // A sample may begin just now and is seen one later.
    const retryAfterMs = 2 * this.#everyMs
    this.#state =
      reason === undefined ? { kind: 'free' } : { kind: 'overloaded', reason, retryAfterMs }
    void this.#calls.tell('onChange', this.#state, this.#sample)
  }
}

function gauge(reason: PressureReason, limit: number, read: Gauge['read']): Gauge {
  return { reason, limit, read, isHigh: false }
}
