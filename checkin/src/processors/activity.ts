/** What a processor says about its work: the lines of the exercise for each check-in, or a summary. */
import type { ConsumerCounts, Entry } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import type { Log } from '../log.ts'
import { countOf, printable, written } from 'millrace-ops/terminal'

type CheckinEntry = Entry<CheckinModel['checkins']['fields']>

/** How far the processor's stream is worked off. `lag` is null when the server cannot tell. */
interface Backlog {
  readonly lag: number | null
  readonly pending: number | null
  /** Age of the oldest undelivered entry (ms). */
  readonly oldestUndeliveredMs?: number | null
  readonly deadLetters?: number
}

export interface ActivityOptions {
  readonly log: Log
  /** Name before each line. */
  readonly name: string
  readonly model: CheckinModel
  /** Says a line for each step of each check-in instead of summaries. */
  readonly isDetailed: boolean
  /** The log is for programs: a summary a minute instead of one a second. */
  readonly isForPrograms: boolean
  readonly backlog: () => Promise<Backlog>
  /** Of the consumer, since it began. */
  readonly counts: () => Partial<ConsumerCounts>
  /** Called once a second while there is work, and at the end, with what was processed since the start. */
  readonly onProcessed?: ((count: number) => void) | undefined
}

const parked: Readonly<Record<string, string>> = {
  redrive: 'that were redriven',
  unassigned: 'of a removed consumer',
  retry: 'that waited for their next attempt',
}
const tickMs = 1000
/** People see it work; what is kept is kept short. */
const summaryEveryS = { people: 1, programs: 60 }
/** Work runs out all the time where it is done as fast as it comes. */
const idleAfterMs = 5000

export class Activity {
  readonly #options: ActivityOptions
  #hasStarted = false
  #processed = 0
  #told = 0
  #said = 0
  #seconds = 0
  #saidAt = performance.now()
  /** Set while there is nothing to do. */
  #idleTimer: NodeJS.Timeout | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: ActivityOptions) {
    this.#options = options
  }

  /** Check-ins processed since the start. */
  get processed(): number {
    return this.#processed
  }

  /** It has begun: said once, before anything else; one that was refused says nothing. */
  started(): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    this.#info('Starting up.')
    if (this.#options.isDetailed) return
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  ended(): void {
    clearInterval(this.#timer)
    this.#isBusy()
    this.#options.onProcessed?.(this.#processed)
    if (!this.#hasStarted) return
    this.#info(`Stopped. Processed ${countOf(this.#processed, 'checkin')}.`)
  }

  delivered(entries: readonly CheckinEntry[]): void {
    this.started()
    this.#isBusy()
    if (!this.#options.isDetailed) return
    const { log, name, model } = this.#options
    for (const { id, values } of entries) {
      const user = model.userKey(values.userId)
      const location = model.locationKey(values.locationId)
      this.#info(`Processing checkin ${id}.`)
      log.debug(`${name}: Processing ${id}.`)
      log.debug(`${name}: Updating user ${user} and location ${location}.`)
    }
  }

  applied(entries: readonly CheckinEntry[]): void {
    this.#processed += entries.length
    if (!this.#options.isDetailed) return
    for (const { id } of entries) this.#info(`Acknowledged processing of checkin ${id}.`)
  }

  /** Check-ins that were folded in the server. */
  folded(applied: number): void {
    this.started()
    this.#isBusy()
    this.#processed += applied
  }

  /** @param from the consumer for which they were pending, or a name under which the engine parks entries */
  claimed(many: number, from: string): void {
    const whose = parked[from] ?? `of ${printable(from)}`
    this.warn(`Claimed ${countOf(many, 'checkin')} ${whose}.`)
  }

  pausing(): void {
    this.#info('Pausing to simulate work.')
  }

  /** Nothing is there to read: said once when it stays so for five seconds, until there is work again. */
  waiting(): void {
    this.started()
    this.#idleTimer ??= setTimeout(() => this.#info('waiting for more checkins...'), idleAfterMs)
  }

  paused(isPaused: boolean): void {
    this.started()
    this.#isBusy()
    this.#info(
      isPaused ? 'Paused: reads and begins nothing, keeps its name and its checkins.' : 'Resumed.',
    )
  }

  warn(text: string): void {
    this.started()
    this.#options.log.warn(`${this.#options.name}: ${text}`)
  }

  #isBusy(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
  }

  #info(text: string): void {
    this.#options.log.info(`${this.#options.name}: ${text}`)
  }

  #tick(): void {
    if (this.#processed > this.#told) this.#options.onProcessed?.(this.#processed)
    this.#told = this.#processed
    this.#seconds += 1
    if (this.#seconds % summaryEveryS[this.#options.isForPrograms ? 'programs' : 'people'] === 0) {
      void this.#summarize()
    }
  }

  /** Says nothing where nothing was done. */
  async #summarize(): Promise<void> {
    const done = this.#processed - this.#said
    const now = performance.now()
    const perSecond = Math.round((done * 1000) / (now - this.#saidAt))
    this.#said = this.#processed
    this.#saidAt = now
    if (done === 0) return
    const backlog = await this.#options.backlog().catch(() => undefined) // The log tells of a lost connection.
    const rest =
      backlog === undefined
        ? ''
        : `, lag ${orUnknown(backlog.lag)}${backlog.pending === null ? '' : `, pending ${written(backlog.pending)}`}`
    const { log, name, counts } = this.#options
    const { claimed, retried, superseded } = counts()
    const fields = {
      ...{ event: 'summary', consumer: name, done, total: this.#processed, rate: perSecond },
      ...{ lag: backlog?.lag, timeLagMs: backlog?.oldestUndeliveredMs, pending: backlog?.pending },
      ...{ deadLetters: backlog?.deadLetters, claimed, retried, superseded },
    }
    const text = `Processed ${countOf(this.#processed, 'checkin')}, ${written(perSecond)}/s${rest}.`
    log.info(fields, `${name}: ${text}`)
  }
}

const orUnknown = (value: number | null): string => (value === null ? 'unknown' : written(value))
