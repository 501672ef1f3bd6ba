/** What a consumer can be told, and what it tells. */
import { fieldsMax, isFoldable, plansMax, pushDownMax } from '../apply/push-down-limits.ts'
import type { AppliedBatch } from '../apply/settled.ts'
import type { Fields } from '../declare/fields.ts'
import { checkConsumerGiven } from './given-options.ts'
import type { Handler } from '../handle/handler.ts'
import type { Delivery } from '../handle/past-deliveries.ts'
import type { Runs } from '../support/lifetime.ts'
import type { Plan } from '../declare/plan.ts'
import type { Projection } from '../declare/projection.ts'
import type { FoldedBatch, PushDownParts } from './push-down.ts'
import { ReadAhead } from '../handle/read-ahead.ts'
import type { Connection } from '../redis/connection.ts'
import type { RetryPolicy } from '../handle/retry-policy.ts'
import type { Entry, Stream } from '../declare/stream.ts'
import type { ServerTracing } from '../trace/tracing.ts'

/**
 * What a consumer tells while it runs. All are optional and called in order; only `applied` is waited for. One that throws or rejects
 * changes nothing of what it is told; its first failure is a warning of the process (`MILLRACE_OBSERVER`).
 */
export interface ConsumerObserver<F extends Fields = Fields> {
  /** Told once: it has its name, its group is there, and what was pending for it is read. New entries come from now on. */
  started?(): void
  /**
   * Decoded entries have come. `from`: of claimed ones, the consumer for which they were pending; `redrive`, `unassigned` and
   * `retry` are names under which the engine parks entries that were redriven, left by a removed consumer, or wait for an attempt.
   */
  delivered?(entries: readonly Entry<F>[], how: Delivery, from?: string): void
  /** The server has confirmed effects and acknowledgement. The entries stay in flight until this resolves. */
  applied?(entries: readonly Entry<F>[]): void | Promise<void>
  /**
   * The server has folded entries by itself (push-down): they are applied, and never come here. A batch whose reply was
   * lost is not told; the group's ledger counts it.
   */
  folded?(batch: FoldedBatch): void
  /** A batch took effect, pulled or folded in the server: for metrics. It asks for no entries, so it does not end push-down. */
  tookEffect?(batch: AppliedBatch): void
  /** A call of the handler has ended, whatever came of it, and has taken so long (ms). */
  handled?(id: string, ms: number): void
  deadLettered?(letters: readonly { id: string; reason: string; error: string }[]): void
  /**
   * A handler failed, and the next attempt is scheduled. `attempt`: how many have failed by now; 0: none, but the process died while the
   * entry was handled alone.
   */
  retried?(id: string, attempt: number, error: string): void
  /** The gate refused entries: another consumer has them now, or they were applied before a reply was lost. */
  superseded?(ids: readonly string[]): void
  /** A read found nothing new. */
  waiting?(): void
  /** Somebody paused or resumed it, or its group. */
  paused?(isPaused: boolean): void
}

/** What a consumer asks of the group that made it. */
interface Membership<F extends Fields> {
  readonly name: string
  readonly stream: Stream<F>
  /** Whether nothing is undelivered and nothing pending. @throws {MillraceError} */
  isDrained(): Promise<boolean>
}

/** What a consumer belongs to. */
export interface Place<F extends Fields> {
  readonly connection: Connection
  readonly group: Membership<F>
  readonly runs: Runs
  /** Undefined: nothing is traced. */
  readonly tracing: ServerTracing | undefined
}

export interface ConsumerOptions<F extends Fields> {
  /** Applied together with the acknowledgement; each must read only fields of the stream. Default: none. */
  readonly projections?: readonly Projection<keyof F & string>[]
  /** Decides about each entry before its effects are applied. Default: none, each is applied. */
  readonly handler?: Handler<F>
  /** Handlers at a time, default 1. */
  readonly concurrency?: number
  /**
   * Failed attempts of handlers after which an entry becomes a dead letter, whatever `retry` says, default 5; Infinity: never
   * for that.
   */
  readonly attemptsMax?: number
  /**
   * How long a handler may take (ms); then its signal aborts, and the attempt has failed with a `TimeoutError`. What a handler that
   * ignores its signal does later is ignored, and its place is given to the next one meanwhile. Default: no limit.
   */
  readonly timeoutMs?: number
  /**
   * Deaths of processes, each with this entry's handler running and no other of the consumer, after which the entry becomes a
   * dead letter. Default Infinity: it is tried again, after a wait that grows up to a minute.
   */
  readonly deathsMax?: number
  /** Decides by the error whether and when a failed entry is tried again; default: {@link RetryPolicy}. */
  readonly retry?: RetryPolicy<F>
  /**
   * Entries for which this returns the same are handled one after the other, in the order in which they came, as long as
   * this consumer has them. Where it throws or returns something else, the attempt has failed. Default: none, any order.
   */
  readonly orderBy?: (entry: Entry<F>) => string | number
  /**
   * How new entries are processed. `pull`: they are read, and applied with their acknowledgement. `push-down`: they are
   * folded in the server and never leave it, without handler, and with an observer that is told of batches only (`folded`);
   * what was pending or is claimed is pulled all the same. Default `auto`: push-down when there is no handler and the
   * observer has neither `delivered` nor `applied`.
   */
  readonly mode?: 'auto' | 'pull' | 'push-down'
  /**
   * Entries a read and a script call, 1 to 5,000; at most so many for push-down. Default 1,000, a call then holds the
   * server for about 4 ms; for push-down 5,000.
   */
  readonly batch?: number
  /** How long a call of push-down may hold the server (ms), default 2: as many entries are taken as fit. */
  readonly budgetMs?: number
  /**
   * Entries in flight at most. Default without a handler: three batches, one in the server, one on its way, one to come. With one: what the
   * handlers finish in a tenth of a second as measured, at least twice `concurrency`, at most three batches.
   */
  readonly inHandMax?: number
  /** Entries of a dead consumer are claimed within this time (ms), 20 or more, default 10,000. */
  readonly claimAfterMs?: number
  /** Consumers of the group that are dead and empty for so long are removed (ms), default a day. */
  readonly removeAfterMs?: number
  /** Ends as soon as nothing is undelivered or pending in the group, default false. */
  readonly drain?: boolean
  readonly observer?: ConsumerObserver<F>
}

const day = 86_400_000
// A drain is over when a read has found nothing; meanwhile others may give their entries back.
const drainBlockMs = 25

const inHandMost = 100_000

/** How a consumer's handlers work, and how many entries it has in flight. */
interface Handling {
  readonly inHandMax: number
  readonly readAhead: ReadAhead | undefined
  readonly concurrency: number
  readonly timeoutMs: number | undefined
  readonly attemptsMax: number
  readonly deathsMax: number
}

export interface Settings extends Handling {
  readonly batch: number
  readonly pushDown: Pick<PushDownParts, 'batchMax' | 'budgetMs' | 'blockMs'>
  /** How long a read waits for entries, in milliseconds. */
  readonly blockMs: number
  readonly claimAfterMs: number
  readonly leaseMs: number
  readonly removeAfterMs: number
}

/** @throws {RangeError} or {TypeError} naming the option. */
export function checked<F extends Fields>(options: ConsumerOptions<F>): Settings {
  checkConsumerGiven(options)
  checkHandling(options)
  const claimAfterMs = inRange('claimAfterMs', options.claimAfterMs ?? 10_000, 20, day)
  const batch = inRange('batch', options.batch ?? 1000, 1, 5000)
  return {
    batch,
    pushDown: {
      batchMax: options.batch ?? pushDownMax,
      budgetMs: inRange('budgetMs', options.budgetMs ?? 2, 1, 1000),
      // Each read that comes back empty is followed by a look at the group.
      blockMs: options.drain === true ? drainBlockMs : 5000,
    },
    // A drain looks often whether it is done; else a read waits long, so that an idle consumer costs nothing.
    blockMs: options.drain === true ? drainBlockMs : 2000,
    ...handling(options, batch),
    claimAfterMs,
    // Three quarters for the lease, one for the sweep that follows its end.
    leaseMs: claimAfterMs * 0.75,
    removeAfterMs: inRange('removeAfterMs', options.removeAfterMs ?? day, 0, 365 * day),
  }
}

/** What is about handlers, and how many entries these have in flight. */
function handling<F extends Fields>(options: ConsumerOptions<F>, batch: number): Handling {
  const { handler, timeoutMs } = options
  const concurrency = inRange('concurrency', options.concurrency ?? 1, 1, inHandMost)
  const isMeasured = handler !== undefined && options.inHandMax === undefined
  const least = isMeasured ? Math.min(2 * concurrency, inHandMost) : 1
  const byDefault = Math.max(3 * batch, least)
  const inHandMax = inRange('inHandMax', options.inHandMax ?? byDefault, 1, inHandMost)
  return {
    inHandMax,
    readAhead: isMeasured ? new ReadAhead({ concurrency, most: inHandMax }) : undefined,
    concurrency,
    timeoutMs: timeoutMs === undefined ? undefined : inRange('timeoutMs', timeoutMs, 1, day),
    attemptsMax: boundOf('attemptsMax', options.attemptsMax ?? 5),
    deathsMax: boundOf('deathsMax', options.deathsMax ?? Infinity),
  }
}

function checkHandling<F extends Fields>(options: ConsumerOptions<F>): void {
  if (options.handler === undefined && (options.projections ?? []).length === 0) {
    throw new TypeError('Cannot make a consumer without a handler or a projection: nothing to do')
  }
  const aboutHandlers = ['retry', 'orderBy', 'timeoutMs', 'deathsMax'] as const
  const given = aboutHandlers.find((option) => options[option] !== undefined)
  if (options.handler === undefined && given !== undefined) {
    throw new TypeError(`Cannot use ${given} without a handler: it is about handlers`)
  }
  if (options.handler !== undefined && options.mode === 'push-down') {
    throw new TypeError('Cannot push down what a handler decides. Leave one of the two out')
  }
}

/**
 * Whether new entries are folded in the server.
 * @throws {RangeError} when that is asked for and impossible.
 */
export function isPushedDown<F extends Fields>(
  { mode = 'auto', handler, observer }: ConsumerOptions<F>,
  declared: Stream,
  plans: readonly Plan[],
): boolean {
  if (mode === 'pull') return false
  if (isFoldable(declared, plans)) {
    const needsEntries = observer?.delivered !== undefined || observer?.applied !== undefined
    return mode === 'push-down' || (handler === undefined && !needsEntries)
  }
  if (mode === 'auto') return false
  throw new RangeError(
    `Cannot push down: that takes 1 to ${plansMax} projections and at most ${fieldsMax} fields of stream "${declared.key}"`,
  )
}

/** A bound on something that is counted; Infinity: none. */
function boundOf(option: string, value: number): number {
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 1)) return value
  throw new RangeError(`Cannot use ${option} ${value}: it is an integer of at least 1, or Infinity`)
}

function inRange(option: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`Cannot use ${option} ${value}: it is an integer from ${least} to ${most}`)
}
