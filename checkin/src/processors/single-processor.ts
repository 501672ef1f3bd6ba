/**
 * The checkin processor: reads the stream of check-ins alone and keeps its position in a key. For a second process
 * beside it there is the group processor.
 */
import type { Millrace, Reader } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import type { Log } from '../log.ts'
import { Activity } from './activity.ts'
import { sentence } from '../terminal/words.ts'

export interface SingleProcessorOptions {
  readonly millrace: Millrace
  readonly model: CheckinModel
  readonly log: Log
  /** Ends at the end of the stream. */
  readonly drain: boolean
}

const countedMax = 10_000

export class SingleProcessor {
  readonly #reader: Reader<CheckinModel['checkins']['fields']>
  readonly #activity: Activity
  readonly #options: SingleProcessorOptions
  #position = '0-0'

  constructor(options: SingleProcessorOptions) {
    const { millrace, model, log } = options
    const name = model.readerName
    this.#options = options
    this.#activity = new Activity({
      log,
      name,
      model,
      isDetailed: log.isLevelEnabled('debug'),
      backlog: async () => ({ lag: await this.#lag(), pending: null }),
    })
    this.#reader = millrace.reader(model.checkins, {
      name,
      positionKey: model.positionKey,
      projections: [model.users, model.locations],
      drain: options.drain,
      observer: {
        delivered: (entries) => this.#activity.delivered(entries),
        applied: (entries, position) => {
          this.#position = position
          this.#activity.applied(entries)
        },
        deadLettered: (letters) => {
          for (const { id, error } of letters) {
            this.#activity.warn(sentence(`Checkin ${id} became a dead letter: ${error}`))
          }
        },
        waiting: () => this.#activity.waiting(),
      },
    })
  }

  /** Works until it is stopped or drained. @throws {MillraceError} POSITION_MOVED, WRONG_TYPE. */
  async run(): Promise<void> {
    this.#activity.started()
    try {
      await this.#reader.run()
    } finally {
      this.#activity.ended()
    }
  }

  async stop(): Promise<void> {
    await this.#reader.stop()
  }

  /** Check-ins after the position, counted up to a bound; null above it. */
  async #lag(): Promise<number | null> {
    const { millrace, model } = this.#options
    // XREAD: XRANGE takes no "(" before the last possible id.
    const place = ['STREAMS', model.checkins.key, this.#position]
    const reply = await millrace.send('XREAD', 'COUNT', String(countedMax), ...place)
    const [ofStream] = Array.isArray(reply) ? reply : []
    const entries = Array.isArray(ofStream) ? ofStream[1] : []
    const found = Array.isArray(entries) ? entries.length : 0
    return found < countedMax ? found : null
  }
}
