/**
 * The single reader: takes a whole stream alone, without a group. Promise: position and effects move in one script (`reader-position.ts`),
 * so each entry takes effect once, whatever crashes; two readers of one position stop each other instead of doubling.
 */
import { separateRefused } from '../apply/applier.ts'
import { backoffMs } from '../support/backoff.ts'
import { holdTo } from '../apply/definition.ts'
import { Gate } from '../apply/gate.ts'
import {
  atMsOf,
  toldLetter,
  tracedEntry,
  tracedLetter,
  type CallTimes,
  type Settled,
  type SettledLetter,
} from '../apply/settled.ts'
import { EntrySizes, readBytesMax } from '../redis/entry-sizes.ts'
import { isPassing, readFailure } from '../support/errors.ts'
import type { Fields } from '../declare/fields.ts'
import type { ConsumerCounts } from '../consume/consumer-events.ts'
import { checkReaderGiven, type ReaderObserver, type ReaderOptions } from './reader-options.ts'
import { readerKeys } from '../redis/keys.ts'
import { Lifetime, type Runs, type StopOptions } from '../support/lifetime.ts'
import { ObserverCalls } from '../support/observer-calls.ts'
import { persist, wait } from '../support/persist.ts'
import { plansOf, type Plan } from '../declare/plan.ts'
import type { Connection } from '../redis/connection.ts'
import { checkStream, Decoder, type Stream } from '../declare/stream.ts'
import { ReaderPosition } from './reader-position.ts'
import { appliedOf, decodedBy } from './decoded.ts'
import { entriesOf, type RawEntry } from '../redis/replies.ts'
import { overdueMs, unblockAtAbort, unblocker } from '../redis/blocking.ts'
import { countBounds, countRange } from '../scripts/reading.ts'
import type { ConsumerTracing, ServerTracing } from '../trace/tracing.ts'

export class Reader<F extends Fields = Fields> {
  readonly #connection: Connection
  readonly #stream: Stream<F>
  readonly #options: ReaderOptions<F>
  readonly #gate: Gate
  readonly #plans: readonly Plan[]
  readonly #decoder: Decoder<F>
  readonly #lifetime: Lifetime
  readonly #calls: ObserverCalls<ReaderObserver<F>>
  readonly #batch: number
  readonly #counts = { applied: 0, deadLettered: 0 }
  readonly #position: ReaderPosition
  readonly #tracing: ConsumerTracing | undefined
  /** Since the last read that was answered. */
  #failures = 0
  /** Halved when a read fails and doubled when one is answered: a slow link needs small batches to get on at all. */
  #countMax = Infinity
  readonly #sizes = new EntrySizes()

  /** Use {@link Millrace.reader}. @throws {TypeError} or {RangeError} when an option is wrong. */
  constructor(
    connection: Connection,
    stream: Stream<F>,
    options: ReaderOptions<F>,
    runs: Runs,
    tracing: ServerTracing | undefined,
  ) {
    checkStream('make a reader', stream)
    checkReaderGiven(options)
    const batch = options.batch ?? 1000
    if (!Number.isSafeInteger(batch) || batch < 1 || batch > 5000) {
      throw new RangeError(`Cannot use batch ${batch}: it is an integer from 1 to 5000`)
    }
    this.#connection = connection
    this.#stream = stream
    this.#options = options
    this.#lifetime = new Lifetime(`Reader "${options.name}"`, runs)
    this.#calls = new ObserverCalls(options.observer ?? {}, `reader "${options.name}"`)
    this.#batch = batch
    const traced = { stream: stream.key, group: undefined, name: options.name }
    this.#tracing = tracing?.consumer(traced)
    this.#plans = plansOf(options.projections, stream)
    this.#gate = new Gate(connection, this.#plans)
    this.#decoder = new Decoder(stream)
    this.#position = new ReaderPosition({
      connection,
      gate: this.#gate,
      stream: stream.key,
      name: options.name,
      positionKey: options.positionKey,
      signal: this.#lifetime.signal,
    })
  }

  /** What it has done since it was started. */
  get counts(): Readonly<Pick<ConsumerCounts, 'applied' | 'deadLettered'>> {
    return this.#counts
  }

  /**
   * Works until it is stopped, or drained.
   * @throws {MillraceError} POSITION_MOVED when another reader moves the position; PROJECTION_CHANGED, WRONG_TYPE and other failures that
   *   do not pass.
   */
  async run(): Promise<void> {
    await this.#lifetime.run(() => this.#lifetime.unlessLeft(this.#work()))
  }

  /**
   * Finishes the batch in flight. With `withinMs`, what is not finished by then is left behind: applied, or read again. Safe to call
   * twice or before the run.
   */
  async stop(options?: StopOptions): Promise<void> {
    await this.#lifetime.stop(options)
  }

  /**
   * Entries behind its position, before it runs: all. They are counted up to 10,000, or 3 MB of them; null when there are more.
   * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
   */
  async lag(): Promise<number | null> {
    const range = [`(${this.#position.from}`, '+'] as const
    const { counted, isWhole } = await countRange(
      this.#connection,
      this.#stream.key,
      range,
      countBounds,
    )
    return isWhole ? counted : null
  }

  async #work(): Promise<void> {
    const { signal } = this.#lifetime
    try {
      const { name } = this.#options
      const folds = { group: name, plans: this.#plans, signal }
      await holdTo(this.#connection, readerKeys(this.#stream.key, name), folds)
      while (!signal.aborted) {
        const reading = await persist(signal, () =>
          this.#connection.duplicate({ name: `millrace:${this.#options.name}` }),
        )
        try {
          if (await this.#position.find(reading)) void this.#calls.tell('started')
          await this.#readOn(reading)
        } catch (error) {
          if (!isPassing(error)) throw readFailure(error, this.#named)
          await wait(backoffMs(this.#failures, { firstMs: 10, mostMs: 1000 }), signal)
          this.#failures += 1
          this.#countMax = Math.max(1, Math.min(this.#countMax, this.#batch) / 2)
        } finally {
          reading.destroy()
        }
      }
    } catch (error) {
      if (!(isPassing(error) && signal.aborted)) throw error
    }
  }

  /** Reads and applies, one batch after the other: a position has an order. */
  async #readOn(reading: Connection): Promise<void> {
    const { signal } = this.#lifetime
    const unblock = await unblocker(reading, this.#connection)
    const ended = unblockAtAbort(signal, unblock)
    try {
      while (!signal.aborted) {
        const entries = await this.#read(reading)
        if (entries.length > 0) await this.#process(entries)
        else {
          // A replica, or a primary that was left by its replicas, has nothing new for ever, and serves reads.
          await this.#connection.checkWritable()
          void this.#calls.tell('waiting')
          if (this.#options.drain === true) this.#lifetime.end()
        }
      }
    } finally {
      ended()
    }
  }

  get #named(): { stream: string; group: string } {
    return { stream: this.#stream.key, group: this.#options.name }
  }

  async #read(reading: Connection): Promise<RawEntry[]> {
    const blockMs = this.#options.drain === true ? 1 : 2000
    const fitting = this.#sizes.fitting(readBytesMax)
    const count = Math.floor(Math.min(this.#batch, this.#countMax, fitting))
    const options = ['COUNT', String(count), 'BLOCK', String(blockMs)]
    const args = ['XREAD', ...options, 'STREAMS', this.#stream.key, this.#position.from]
    const entries = entriesOf(await reading.send(args, blockMs + overdueMs))
    this.#failures = 0
    this.#countMax *= 2
    this.#sizes.noteAll(entries)
    return entries
  }

  async #process(raw: readonly RawEntry[]): Promise<void> {
    const settled = raw.map((entry) => decodedBy(this.#decoder, entry))
    const entries = appliedOf<F>(settled)
    if (entries.length > 0) void this.#calls.tell('delivered', entries)
    const apply = (): Promise<void> => this.#apply(settled)
    if (this.#tracing === undefined) await apply()
    else await this.#tracing.settle({ entries: settled.map(tracedEntry), isHandled: false }, apply)
  }

  /** Applies a batch; refusals make dead letters of some, or split it in two so that its order stays. */
  async #apply(batch: readonly Settled[]): Promise<void> {
    let settled = batch
    for (;;) {
      const to = settled.at(-1)?.id
      if (to === undefined) return
      const began = performance.now()
      const answer = await this.#position.advance(settled, to)
      if (answer.kind === 'refused') {
        const { remaining, alone } = separateRefused(this.#gate, settled, answer.refusals)
        if (alone.length > 0) {
          const half = settled.length / 2
          await this.#apply(settled.slice(0, half))
          await this.#apply(settled.slice(half))
          return
        }
        settled = remaining
        continue
      }
      const callMs = performance.now() - began
      await this.#applied(settled, to, { atMs: atMsOf(answer.began), callMs })
      return
    }
  }

  #deadLettered(letters: readonly SettledLetter[]): void {
    this.#tracing?.deadLettered(letters.map(tracedLetter))
    void this.#calls.tell('deadLettered', letters.map(toldLetter))
  }

  async #applied(settled: readonly Settled[], to: string, call: CallTimes): Promise<void> {
    const letters = settled.flatMap((item) => (item.kind === 'dead-letter' ? [item] : []))
    const entries = appliedOf<F>(settled)
    this.#counts.applied += entries.length
    this.#counts.deadLettered += letters.length
    if (letters.length > 0) this.#deadLettered(letters)
    const ids = entries.map(({ id }) => id)
    void this.#calls.tell('tookEffect', { applied: ids.length, ids, isFolded: false, ...call })
    await this.#calls.tell('applied', entries, to)
  }
}
