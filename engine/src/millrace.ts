import {
  append,
  appendMany,
  type Addition,
  type AppendOptions,
  type Appending,
} from './append/append.ts'
import { appendBatch, type BatchItem, type BatchOptions } from './append/append-batch.ts'
import { openConnection, type ConnectOptions } from './redis/connect.ts'
import { entryPage, type EntryPage, type EntryPageOptions } from './operate/entry-page.ts'
import type { MillraceError } from './support/errors.ts'
import { Group } from './group.ts'
import type { Fields, ValuesOf } from './declare/fields.ts'
import { checkStop, Runs, type StopOptions } from './support/lifetime.ts'
import { checkNoMore } from './support/option-values.ts'
import type { Projection } from './declare/projection.ts'
import { rankHashes, rebuildRankings } from './operate/rank-hashes.ts'
import { rankingPage, type RankingPageOptions } from './operate/ranking-page.ts'
import { Reader } from './reader/reader.ts'
import type { ReaderOptions } from './reader/reader-options.ts'
import type { Connection, Reply } from './redis/connection.ts'
import { ReplicaWait } from './append/replica-wait.ts'
import { checkStream, type Stream } from './declare/stream.ts'
import { trim, type TrimOptions, type TrimOutcome } from './operate/trim.ts'
import type { AppendOutcome } from './scripts/append.ts'
import { countRange, type CountBounds, type RangeCount } from './scripts/reading.ts'
import type { ServerTracing } from './trace/tracing.ts'
import type { RankOutcome, RankingPage } from './scripts/ranking.ts'

/**
 * Connects to Redis >= 7.0 or Valkey.
 * @throws {TypeError} naming the option, or the part of the URL, that cannot be used; nothing was connected.
 * @throws {MillraceError} UNREACHABLE, AUTHENTICATION, SERVER_TOO_OLD.
 */
export async function connect(options: ConnectOptions): Promise<Millrace> {
  const connection = await openConnection(options)
  return new Millrace(connection, options.tracing?.at(connection.shownUrl))
}

/** The engine on one server: everything starts here. */
export class Millrace {
  readonly #connection: Connection
  readonly #replicaWait: ReplicaWait
  readonly #runs = new Runs()
  readonly #tracing: ServerTracing | undefined
  readonly #appending: Appending

  /** Use {@link connect}. */
  constructor(connection: Connection, tracing: ServerTracing | undefined) {
    this.#connection = connection
    this.#tracing = tracing
    this.#replicaWait = new ReplicaWait(connection)
    this.#appending = { connection, replicaWait: this.#replicaWait, tracing }
  }

  /** The server's URL, without its password. */
  get url(): string {
    return this.#connection.shownUrl
  }

  /** False while the connection is lost. */
  get isConnected(): boolean {
    return this.#connection.isReady
  }

  /** Why the server refuses all work, from `onRefused` to `onAccepted`; undefined while it takes it. */
  get refusal(): MillraceError | undefined {
    return this.#connection.refusal
  }

  /** Connections after the first one: of losses that are over, and where one was exchanged because its server refused all work. */
  get reconnects(): number {
    return Math.max(0, this.#connection.generation - 1)
  }

  /**
   * Asks the server whether it takes work, by a script that writes nothing. A PING proves less: a replica answers it, too.
   * @param options.fills also whether it takes appends, which a full server refuses; default false
   * @throws {MillraceError} READ_ONLY, SERVER_BUSY, UNREACHABLE, DISCONNECTED, TIMEOUT; with `fills` SERVER_FULL.
   */
  async checkWritable(options: { readonly fills?: boolean } = {}): Promise<void> {
    await this.#connection.checkWritable(options)
  }

  /**
   * Appends one entry. Appending never trims.
   * @returns the entry id, once the server has confirmed it.
   * @throws {TypeError} or {RangeError} when a value is not what the stream declares, or for an option that nobody knows; nothing was sent.
   * @throws {MillraceError} UNREACHABLE, CLOSED: not appended. DISCONNECTED, TIMEOUT: unknown; appending again may duplicate.
   *   NOT_REPLICATED: appended, but too few replicas have confirmed it.
   */
  async append<F extends Fields>(
    stream: Stream<F>,
    values: ValuesOf<F>,
    options?: AppendOptions & Pick<BatchOptions, 'replicas'>,
  ): Promise<string> {
    return await append(this.#appending, stream, values, options)
  }

  /**
   * Appends many entries, pipelined, in their order. Not atomic: when it throws, an unknown part is appended.
   * @returns the entry ids in the same order.
   * @throws as {@link append}; all values are checked before anything is sent.
   */
  async appendMany<F extends Fields>(
    stream: Stream<F>,
    additions: readonly Addition<F>[],
    ...rest: readonly never[]
  ): Promise<string[]> {
    checkNoMore(`append to stream "${stream.key}"`, rest)
    return await appendMany(this.#appending, stream, additions)
  }

  /**
   * Appends up to 5,000 entries by one script call: faster than one by one, and its outcome is known, or unknown, for all
   * of them together. Entries with an idempotency key are appended once while the key is remembered, whoever else appends.
   * @returns what became of each entry, in the same order.
   * @throws as {@link Millrace.append}, and {RangeError} for an option; all values are checked before anything is sent. After an
   *   unknown outcome, entries with an idempotency key can be appended again without a duplicate.
   */
  async appendBatch<F extends Fields>(
    stream: Stream<F>,
    items: readonly BatchItem<F>[],
    options: BatchOptions = {},
  ): Promise<AppendOutcome[]> {
    const send = (given: BatchOptions): Promise<AppendOutcome[]> =>
      this.#replicaWait.confirmed(given.replicas ?? 0, () =>
        appendBatch(this.#connection, stream, items, given),
      )
    if (this.#tracing === undefined) return await send(options)
    const append = { stream, count: items.length, extras: [options.extra] }
    return await this.#tracing.send(append, (carry) =>
      send({ ...options, extra: carry(options.extra) }),
    )
  }

  /** A consumer group of a stream. It need not exist yet. @throws {RangeError} when the name is not allowed. */
  group<F extends Fields>(stream: Stream<F>, name: string): Group<F> {
    return new Group(this.#connection, stream, name, this.#runs, this.#tracing)
  }

  /** A reader that takes the whole stream alone, from a stored position; it does nothing until it is run. */
  reader<F extends Fields>(stream: Stream<F>, options: ReaderOptions<F>): Reader<F> {
    return new Reader(this.#connection, stream, options, this.#runs, this.#tracing)
  }

  /**
   * Removes the entries from the head of a stream that no group and no named reader needs any more, except a reserve;
   * in bounded steps. For a loop there is {@link Trimmer}.
   * @throws {RangeError} or {TypeError} naming the option that cannot be used; nothing was removed.
   * @throws {MillraceError} NO_STREAM, WRONG_TYPE, CLOSED. A lost connection hides only how much is gone: trimming again is safe.
   */
  async trim<F extends Fields>(stream: Stream<F>, options: TrimOptions = {}): Promise<TrimOutcome> {
    this.#runs.checkOpen('trim')
    checkStream('trim', stream)
    return await trim(this.#connection, stream.key, options)
  }

  /**
   * Reads a page of a stream, by its key; a missing one is empty. A page of large entries is shorter: half a megabyte.
   * @throws {RangeError} when an option cannot be used. {MillraceError} WRONG_TYPE, AUTHENTICATION.
   */
  async entryPage(key: string, options: EntryPageOptions = {}): Promise<EntryPage> {
    return await entryPage(this.#connection, key, options)
  }

  /**
   * Counts the entries of a stream between two ids (as XRANGE takes them), in steps of about a millisecond of the server that
   * send none of them. A missing stream has none.
   * @throws {MillraceError} WRONG_TYPE; AUTHENTICATION when the user may not read the stream, or not run scripts.
   */
  async countEntries(
    key: string,
    [from, to]: readonly [from: string, to: string],
    bounds: CountBounds,
  ): Promise<RangeCount> {
    return await countRange(this.#connection, key, [from, to], bounds)
  }

  /**
   * Reads a page of a ranking that a projection keeps, with its neighbours as of one moment.
   * @param key of the ranking; a missing one is empty
   * @throws {RangeError} or {TypeError} naming the option that cannot be used. {MillraceError} WRONG_TYPE.
   */
  async rankingPage(key: string, options: RankingPageOptions): Promise<RankingPage> {
    return await rankingPage(this.#connection, key, options)
  }

  /**
   * Ranks hashes of a projection that something else than a consumer has written, as they are now. It may run while
   * consumers do.
   * @param keys of hashes; those that are missing, or hold no integer in a ranked field, are taken out of its ranking
   * @throws {TypeError} when stream and projection do not fit. {MillraceError} WRONG_TYPE.
   */
  async rankHashes<F extends Fields>(
    stream: Stream<F>,
    projection: Projection<keyof F & string>,
    keys: readonly string[],
  ): Promise<RankOutcome> {
    return await rankHashes(this.#connection, stream, projection, keys)
  }

  /**
   * Ranks all hashes of a projection, and takes out members without one: for hashes that are older than the ranking.
   * It walks all keys of the server in bounded steps, may run while consumers do, and may be repeated.
   * @throws as {@link rankHashes}.
   */
  async rebuildRankings<F extends Fields>(
    stream: Stream<F>,
    projection: Projection<keyof F & string>,
  ): Promise<RankOutcome> {
    return await rebuildRankings(this.#connection, stream, projection)
  }

  /**
   * Sends any command that does not block. Commands of the same tick are pipelined.
   * @returns the reply in RESP2 shapes: HGETALL is a flat array.
   * @throws {MillraceError}
   */
  async send(...args: readonly string[]): Promise<Reply> {
    return await this.#connection.send(args)
  }

  /**
   * Stops the consumers and readers that still run, as their `stop` does, so that each `run` ends; waits for the commands in
   * flight; then closes the connection: whatever is called afterwards throws CLOSED. Default of `withinMs`: 5,000. Not to be awaited in a handler.
   * @throws {RangeError} when `withinMs` is no time. {TypeError} for an option that nobody knows.
   */
  async close(options: StopOptions = {}): Promise<void> {
    checkStop('close the Millrace', options)
    await this.#runs.close({ withinMs: options.withinMs ?? 5000 })
    await this.#connection.close()
  }
}
