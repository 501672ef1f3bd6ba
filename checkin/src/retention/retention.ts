/** Keeps the stream of check-ins bounded: the engine's trimmer with the readers that this service has. */
import { Trimmer, type Millrace, type TrimOptions, type TrimOutcome } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import type { Log } from '../log.ts'
import { sentence, written } from '../terminal/words.ts'
import { heldText } from './report.ts'

/** What stays although everybody has processed it. */
export interface Reserve {
  /** Newest check-ins. */
  readonly keepEntries: number
  /** Check-ins younger than this, in milliseconds. */
  readonly keepMs: number
}

/** One run. @throws {MillraceError} NO_STREAM, WRONG_TYPE. */
export function trimOnce(
  millrace: Millrace,
  model: CheckinModel,
  { group, ...options }: Reserve & { readonly group: string; readonly dryRun: boolean },
): Promise<TrimOutcome> {
  return millrace.trim(model.checkins, { ...options, groups: [group], ...readersOf(model) })
}

/** The single processor counts when it has a position: most services never run it. */
function readersOf(model: CheckinModel): Required<Pick<TrimOptions, 'readers'>> {
  return { readers: [{ positionKey: model.positionKey, ifMissing: 'ignore' }] }
}

export interface RetentionOptions extends Reserve {
  readonly millrace: Millrace
  readonly model: CheckinModel
  /** The group of this service: it holds the stream even if it was lost. */
  readonly group: string
  readonly log: Log
  readonly everyMs: number
}

/** Trims again and again, and logs what it did. */
export class Retention {
  readonly #trimmer: Trimmer
  readonly #log: Log
  #isUnreadSaid = false

  constructor(options: RetentionOptions) {
    const { millrace, model, group, log, everyMs, keepEntries, keepMs } = options
    this.#log = log
    this.#trimmer = new Trimmer(millrace, model.checkins, {
      ...{ everyMs, keepEntries, keepMs, groups: [group], ...readersOf(model) },
      observer: {
        ran: (outcome) => this.#ran(outcome),
        failed: (error) => log.warn(`Cannot trim now: ${sentence(error.message)} Trying again.`),
      },
    })
  }

  /** Works until it is stopped. @throws {MillraceError} NO_STREAM, WRONG_TYPE. */
  async run(): Promise<void> {
    this.#log.info('Trimmer: Starting up.')
    await this.#trimmer.run()
    this.#log.info('Trimmer: Stopped.')
  }

  async stop(): Promise<void> {
    await this.#trimmer.stop()
  }

  #ran(outcome: TrimOutcome): void {
    if (outcome.kind === 'unread') {
      if (!this.#isUnreadSaid) this.#log.warn('Trimmer: Nothing is trimmed: there is no group.')
      this.#isUnreadSaid = true
      return
    }
    this.#isUnreadSaid = false
    if (outcome.kind !== 'trimmed') return
    const { removed, remaining, holder } = outcome
    const held = `Frontier ${heldText(holder)}`
    if (removed === 0) this.#log.debug(`Trimmer: Nothing to trim. ${held}`)
    else {
      const text = `Trimmed ${written(removed)} checkins, ${written(remaining)} stay.`
      this.#log.info(`Trimmer: ${text} ${held}`)
    }
  }
}
