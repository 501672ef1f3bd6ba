/**
 * The checkin processor: reads the stream of check-ins alone and keeps its position in a key. For a second process
 * beside it there is the group processor.
 */
import type { Millrace, Reader } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import type { Log } from '../log.ts'
import { Activity } from './activity.ts'
import type { Measured } from './measured.ts'
import { sentence } from 'millrace-ops/terminal'

export interface SingleProcessorOptions {
  readonly millrace: Millrace
  readonly model: CheckinModel
  readonly log: Log
  /** Ends at the end of the stream. */
  readonly drain: boolean
  /** Whether the log is for programs: then it says less often what was done; default false. */
  readonly isForPrograms?: boolean
  /** Measures it; default: nobody does. */
  readonly metrics?: Measured['metrics'] | undefined
}

export class SingleProcessor {
  readonly #reader: Reader<CheckinModel['checkins']['fields']>
  readonly #activity: Activity

  constructor(options: SingleProcessorOptions) {
    const { millrace, model, log } = options
    const name = model.readerName
    this.#activity = new Activity({
      log,
      name,
      model,
      isDetailed: log.isLevelEnabled('debug'),
      isForPrograms: options.isForPrograms ?? false,
      counts: () => this.#reader.counts,
      backlog: async () => ({ lag: await this.#reader.lag(), pending: null }),
    })
    this.#reader = millrace.reader(model.checkins, {
      name,
      positionKey: model.positionKey,
      projections: [model.users, model.locations],
      drain: options.drain,
      observer: {
        started: () => this.#activity.started(),
        delivered: (entries) => this.#activity.delivered(entries),
        applied: (entries) => this.#activity.applied(entries),
        deadLettered: (letters) => {
          for (const { id, error } of letters) {
            this.#activity.warn(sentence(`Checkin ${id} became a dead letter: ${error}`))
          }
        },
        waiting: () => this.#activity.waiting(),
        // It has no handler.
        ...(options.metrics && { tookEffect: options.metrics.observer.tookEffect }),
      },
    })
    options.metrics?.watch(this.#reader)
  }

  /** Works until it is stopped or drained. @throws {MillraceError} POSITION_MOVED, WRONG_TYPE. */
  async run(): Promise<void> {
    try {
      await this.#reader.run()
    } finally {
      this.#activity.ended()
    }
  }

  async stop(): Promise<void> {
    await this.#reader.stop()
  }
}
