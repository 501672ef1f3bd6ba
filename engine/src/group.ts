import { acceptLoss, type LossAcceptance } from './repair/accept-loss.ts'
import { readBalance, type Balance } from './repair/balance.ts'
import { Consumer } from './consume/consumer.ts'
import type { ConsumerOptions } from './consume/consumer-options.ts'
import { DeadLetters } from './repair/dead-letters.ts'
import { foldedBy } from './apply/definition.ts'
import { describeGroup, isDrained, type GroupDescription } from './operate/describe-group.ts'
import { entryState, type EntryState } from './operate/entry-state.ts'
import type { Fields } from './declare/fields.ts'
import { checkProjections } from './consume/given-options.ts'
import { checkConsumerName, checkName, groupKeys, type GroupKeys } from './redis/keys.ts'
import type { Runs } from './support/lifetime.ts'
import { checkNoMore, checkValue, required, text } from './support/option-values.ts'
import type { Connection } from './redis/connection.ts'
import { namingKeys, wrongKeys, type WrongKey } from './scripts/script-failure.ts'
import {
  planRecovery,
  recover,
  type RecoveryOutcome,
  type RecoveryPlan,
} from './repair/recovery.ts'
import {
  checkPause,
  isPaused,
  pause,
  resume,
  type Paused,
  type PauseOptions,
  type PauseOutcome,
  type Pauses,
} from './consume/pause.ts'
import { plansOf } from './declare/plan.ts'
import type { Projection } from './declare/projection.ts'
import { isExecuted, type Execution } from './repair/execution.ts'
import { repairLag } from './repair/repair-lag.ts'
import { pausesOf, removeConsumer, rosterOf, type RosterEntry } from './operate/roster.ts'
import { checkStream, type Stream } from './declare/stream.ts'
import { createGroup } from './operate/create-group.ts'
import type { LagRepair } from './scripts/ledger.ts'
import type { ServerTracing } from './trace/tracing.ts'

/** A consumer group of a stream. */
export class Group<F extends Fields = Fields> {
  readonly stream: Stream<F>
  readonly name: string
  /** What could not be processed: list, redrive, purge. */
  readonly deadLetters: DeadLetters
  readonly #connection: Connection
  readonly #runs: Runs
  readonly #keys: GroupKeys
  readonly #tracing: ServerTracing | undefined

  /** Use {@link Millrace.group}. */
  constructor(
    connection: Connection,
    stream: Stream<F>,
    name: string,
    runs: Runs,
    tracing: ServerTracing | undefined,
  ) {
    checkStream('use a group', stream)
    checkName('group', name)
    this.#connection = connection
    this.#runs = runs
    this.#tracing = tracing
    this.stream = stream
    this.name = name
    this.#keys = groupKeys(stream.key, name)
    this.deadLetters = new DeadLetters(connection, stream.key, name)
  }

  /**
   * Creates the group, and the stream if it does not exist.
   * @param options.from entry id after which delivery begins; default `0`, the whole stream; `$`: only what comes.
   * @returns `created: false` when the group existed already; then nothing was changed.
   * @throws {MillraceError} WRONG_TYPE when the key is no stream; GROUP_LOST when the group was there before: created
   *   again it could process entries once more; REFUSED when `from` is no id.
   */
  async create(options: { readonly from?: string } = {}): Promise<{ created: boolean }> {
    const what = { stream: this.stream.key, group: this.name }
    return await createGroup(this.#connection, this.#keys, what, options)
  }

  /** @throws {MillraceError} NO_STREAM, NO_GROUP, WRONG_TYPE. */
  async describe(): Promise<GroupDescription> {
    const action = `Cannot describe group "${this.name}" of stream "${this.stream.key}"`
    return await this.#naming(action, () =>
      describeGroup(this.#connection, this.stream.key, this.name),
    )
  }

  /** Names the key where one of another type is met. */
  async #naming<Result>(what: string, action: () => Promise<Result>): Promise<Result> {
    return await namingKeys(this.#connection, this.#keys, what, action)
  }

  /** The consumers of the group with the state of their leases. @throws {MillraceError} as {@link Group.describe}. */
  async roster(): Promise<RosterEntry[]> {
    const { consumers } = await this.describe()
    const what = `Cannot look at the consumers of group "${this.name}"`
    return await this.#naming(what, () => rosterOf(this.#connection, this.#keys, consumers))
  }

  /**
   * Removes a consumer that is gone: what is pending for it goes to living consumers, at their next sweep.
   * @returns the number of entries that were moved.
   * @throws {MillraceError} CONSUMER_ALIVE while its lease runs, NO_CONSUMER, NO_GROUP.
   */
  async removeConsumer(name: string, ...rest: readonly never[]): Promise<number> {
    const action = `remove a consumer of group "${this.name}"`
    checkValue(action, 'name', name, required(text))
    checkNoMore(action, rest)
    return await removeConsumer(this.#connection, this.#keys, this.name, name)
  }

  /**
   * Pauses the group or one consumer: it reads, claims and begins nothing, finishes what it has begun, and keeps its name
   * and its entries. Consumers see it at their next sweep, within about 1.5 s; it lasts until it is resumed. Since when,
   * and by whom, is noted.
   * @throws {MillraceError} NO_CONSUMER when the group has no consumer of that name, unless `future`; WRONG_TYPE.
   */
  async pause(who: Paused = 'group', options: PauseOptions = {}): Promise<PauseOutcome> {
    checkPause(this.name, who, options)
    return await pause(this.#connection, this.#keys, { ...options, group: this.name, who })
  }

  /** Ends a pause. @returns false when there was none. @throws {MillraceError} WRONG_TYPE. */
  async resume(who: Paused = 'group', ...rest: readonly never[]): Promise<boolean> {
    checkPause(this.name, who)
    checkNoMore(`resume group "${this.name}" or its consumers`, rest)
    return await resume(this.#connection, this.#keys, { group: this.name, who })
  }

  /** The pauses of the group and its consumers. @throws {MillraceError} WRONG_TYPE. */
  async pauses(): Promise<Pauses> {
    return await pausesOf(this.#connection, this.#keys)
  }

  /** Whether the group as a whole is paused. @throws {MillraceError} WRONG_TYPE. */
  async isPaused(): Promise<boolean> {
    const what = `Cannot look whether group "${this.name}" is paused`
    return await this.#naming(what, () => isPaused(this.#connection, this.#keys, 'group'))
  }

  /** Whether the counts of the ledger add up to what was appended. @throws {MillraceError} NO_GROUP, WRONG_TYPE. */
  async balance(): Promise<Balance> {
    return await readBalance(this.#connection, this.#keys, this.name)
  }

  /**
   * Whether the hashes of this group were folded by these projections, all that its consumers have: with `others` they are
   * refused (PROJECTION_CHANGED). `unknown`: nothing is noted. Reads only.
   * @throws {TypeError} when stream and projections do not fit. {MillraceError} WRONG_TYPE.
   */
  async foldedBy(
    projections: readonly Projection<keyof F & string>[],
  ): Promise<'these' | 'others' | 'unknown'> {
    const what = `Cannot look by what group "${this.name}" folds`
    checkProjections(`look by what group "${this.name}" folds`, projections)
    const plans = plansOf(projections, this.stream)
    return await this.#naming(what, () => foldedBy(this.#connection, this.#keys, plans))
  }

  /** Keys of this group, and of its stream, that somebody else has taken: they hold another type. */
  async wrongKeys(): Promise<WrongKey[]> {
    return await wrongKeys(this.#connection, this.#keys)
  }

  /**
   * Counts what is undelivered, and compares the lag that the server tells: after others have trimmed or deleted entries it
   * may be wrong for ever. With `execute`, makes it true again; the group does not move, consumers may run.
   * @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION; REFUSED when more than 10,000 entries, or half a
   *   megabyte of them, are undelivered and the group moves while they are counted.
   */
  async repairLag(options: Execution = {}): Promise<LagRepair> {
    const execute = isExecuted(`repair the lag of group "${this.name}"`, options)
    return await repairLag(this.#connection, this.#keys, { group: this.name, execute })
  }

  /**
   * Says which entries are in no count ({@link Group.balance}, `unaccounted`) and how many dead letters others deleted. With
   * `execute`, takes both into the ledger, as skipped and as purged: then it balances again.
   * @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION; REFUSED when that cannot be told.
   */
  async acceptLoss(options: Execution = {}): Promise<LossAcceptance> {
    const execute = isExecuted(`accept losses of group "${this.name}"`, options)
    return await acceptLoss(this.#connection, this.#keys, { group: this.name, execute })
  }

  /**
   * Compares the group with its ledger and says what {@link Group.recover} would do. Reads only; consumers may run.
   * @throws {MillraceError} WRONG_TYPE.
   */
  async recovery(): Promise<RecoveryPlan> {
    return await planRecovery(this.#recoveryParts())
  }

  /**
   * Recovers a group that was lost or moved, from its ledger: delivery goes on after the last settled entry, and each entry
   * of which nobody can know whether it took effect becomes a dead letter `unknown`. Does nothing to a healthy group.
   * Safe to be broken off and called again.
   * @throws {MillraceError} CONSUMER_ALIVE while consumers run; WRONG_TYPE, AUTHENTICATION.
   */
  async recover(...rest: readonly never[]): Promise<RecoveryOutcome> {
    checkNoMore(`recover group "${this.name}"`, rest)
    return await recover(this.#recoveryParts())
  }

  #recoveryParts() {
    const { deadLetters, name: group } = this
    return { connection: this.#connection, keys: this.#keys, group, deadLetters }
  }

  /**
   * True when nothing is pending and everything that was appended so far has been delivered.
   * @throws {MillraceError} NO_STREAM, NO_GROUP, WRONG_TYPE.
   */
  async isDrained(): Promise<boolean> {
    return await isDrained(this.#connection, this.stream.key, this.name)
  }

  /**
   * What became of an entry; the group need not exist yet. Looks at no more than 10,000 dead letters, or about 10 MB of them.
   * @throws {RangeError} when the id is no entry id. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
   */
  async entryState(id: string): Promise<EntryState> {
    return await entryState(this.#connection, this.stream.key, this.name, id)
  }

  /**
   * A consumer of this group; it does nothing until it is run.
   * @param name unique among the living consumers of the group
   * @throws {RangeError} or {TypeError} when an option or the name is wrong.
   */
  consumer(name: string, options: ConsumerOptions<F>): Consumer<F> {
    checkConsumerName(name)
    return new Consumer(
      { connection: this.#connection, group: this, runs: this.#runs, tracing: this.#tracing },
      name,
      options,
    )
  }
}
