/**
 * The checkin group processor: one consumer of the group that shares the stream of check-ins. Any number of them run
 * side by side; each check-in goes to one of them.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Consumer, ConsumerObserver, Millrace } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import type { Log } from '../log.ts'
import { Activity } from './activity.ts'
import type { Measured } from './measured.ts'
import { countOf, sentence } from 'millrace-ops/terminal'

export interface GroupProcessorOptions {
  readonly millrace: Millrace
  readonly model: CheckinModel
  readonly group: string
  /** Name of this consumer in the group. */
  readonly name: string
  readonly log: Log
  /** Ends as soon as nothing is undelivered or pending in the group. */
  readonly drain: boolean
  /** Reads check-ins into this process even when nothing here needs them. */
  readonly pull: boolean
  /** Check-ins a call at most; default 1,000 when pulled, or 1 in the exercise mode. */
  readonly batch?: number | undefined
  /** How long a call may hold the server when the check-ins stay there, in milliseconds. */
  readonly budgetMs: number
  /** The exercise mode: pauses for a random time after each batch. */
  readonly work?: { readonly leastMs: number; readonly mostMs: number } | undefined
  /** Check-ins of a dead consumer are with the living within this time, in milliseconds. */
  readonly claimAfterMs: number
  /** Called once a second while there is work, and at the end, with what was processed since the start. */
  readonly onProcessed?: (count: number) => void
  /** Whether the log is for programs: then it says less often what was done; default false. */
  readonly isForPrograms?: boolean
  /** Measures it; default: nobody does. */
  readonly metrics?: Measured['metrics'] | undefined
}

type Fields = CheckinModel['checkins']['fields']

export class GroupProcessor {
  readonly #options: GroupProcessorOptions
  readonly #consumer: Consumer<Fields>
  readonly #activity: Activity
  readonly #stopping = new AbortController()

  constructor(options: GroupProcessorOptions) {
    const { millrace, model, name, log } = options
    const group = millrace.group(model.checkins, options.group)
    const isExercise = options.work !== undefined
    const batch = options.batch ?? (isExercise ? 1 : undefined)
    this.#options = options
    const isDetailed = isExercise || log.isLevelEnabled('debug')
    this.#activity = new Activity({
      log,
      name,
      model,
      isDetailed,
      isForPrograms: options.isForPrograms ?? false,
      backlog: () => group.describe(),
      counts: () => this.#consumer.counts,
      onProcessed: options.onProcessed,
    })
    this.#consumer = group.consumer(name, {
      projections: [model.users, model.locations],
      // A line for each check-in and a pause after it need the check-ins here.
      mode: isDetailed || options.pull ? 'pull' : 'push-down',
      drain: options.drain,
      claimAfterMs: options.claimAfterMs,
      budgetMs: options.budgetMs,
      observer: { ...this.#observer(), ...options.metrics?.observer },
      ...(batch === undefined ? {} : { batch }),
      // Pausing consumers hold only what they work on, so that the others get the rest.
      ...(isExercise && batch !== undefined ? { inHandMax: batch } : {}),
    })
    options.metrics?.watch(this.#consumer)
  }

  /** Works until it is stopped or drained. @throws {MillraceError} NO_GROUP, WRONG_TYPE. */
  async run(): Promise<void> {
    try {
      await this.#consumer.run()
    } finally {
      this.#activity.ended()
    }
  }

  /** Finishes what is in flight, cuts a pause short. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#consumer.stop()
  }

  #observer(): ConsumerObserver<Fields> {
    const activity = this.#activity
    return {
      started: () => activity.started(),
      delivered: (entries, how, from = '') => {
        if (how === 'claimed') activity.claimed(entries.length, from)
        activity.delivered(entries)
      },
      applied: async (entries) => {
        activity.applied(entries)
        await this.#pause()
      },
      folded: ({ applied }) => activity.folded(applied),
      deadLettered: (letters) => {
        for (const { id, error } of letters) {
          activity.warn(sentence(`Checkin ${id} became a dead letter: ${error}`))
        }
      },
      superseded: (ids) =>
        activity.warn(
          `Superseded: ${countOf(ids.length, 'checkin is', 'checkins are')} not this consumer's any more: ` +
            'claimed by another one, or applied before a reply was lost.',
        ),
      waiting: () => activity.waiting(),
      paused: (isPaused) => activity.paused(isPaused),
    }
  }

  async #pause(): Promise<void> {
    const { work } = this.#options
    if (work === undefined) return
    this.#activity.pausing()
    const ms = work.leastMs + Math.random() * (work.mostMs - work.leastMs)
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined) // Cut short.
  }
}
