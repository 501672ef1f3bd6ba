/** Posts random check-ins to the receiver at a fixed rate. Promise: while the receiver is away it waits, and goes on by itself. */
import type { Checkin } from '../domain/checkins.ts'
import { CommandError, Lasting } from 'millrace-ops/command'
import type { Log } from '../log.ts'
import { CheckinPoster, type Posted } from './checkin-poster.ts'
import { randomCheckins, type RandomCheckinsOptions } from './random-checkins.ts'
import { Schedule } from './schedule.ts'
import { sentence } from 'millrace-ops/terminal'

export interface GeneratorOptions extends RandomCheckinsOptions {
  /** Of the receiver: `http://127.0.0.1:8082/api/checkin`. */
  readonly url: URL
  /** Check-ins per second. */
  readonly rate: number
  /** Ends after so many were taken; undefined: never. */
  readonly count: number | undefined
  readonly log: Log
  /** Whether the log is for programs: a summary a minute instead of one a second; default false. */
  readonly isForPrograms?: boolean
  /** Told how each post ended, and after how long (ms). */
  readonly onPosted?: ((posted: Posted, ms: number) => void) | undefined
}

const underWayMax = 128
/** Up to this rate a person can read a line for each check-in. */
const readableRate = 5
const summaryEveryMs = 1000
const backoffFirstMs = 250
const backoffMostMs = 5000

export class CheckinGenerator {
  readonly #options: GeneratorOptions
  readonly #checkins: Iterator<Checkin, never>
  readonly #poster: CheckinPoster
  readonly #lineLevel: 'info' | 'debug'
  #taken = 0
  #underWay = 0
  #isStopped = false
  #failure: CommandError | undefined
  readonly #trouble: Lasting
  /** Until the receiver takes check-ins again. */
  #isWaiting = false
  /** The answer that says that the receiver is away; undefined while it is there. */
  #away: Extract<Posted, { kind: 'away' }> | undefined
  #wake: () => void = () => undefined

  constructor(options: GeneratorOptions) {
    this.#options = options
    this.#trouble = new Lasting(options.log)
    this.#checkins = randomCheckins(options)
    this.#poster = new CheckinPoster(options.url, underWayMax)
    this.#lineLevel = options.rate <= readableRate ? 'info' : 'debug'
  }

  /**
   * Runs until the count is reached or `stop` is called.
   * @throws {CommandError} when whoever answers at the URL refuses check-ins.
   */
  async run(): Promise<void> {
    const summaries = this.#startSummaries()
    const schedule = new Schedule(this.#options.rate, performance.now())
    while (!this.#isOver()) {
      const dueInMs = schedule.dueInMs(performance.now())
      if (this.#away !== undefined) {
        await this.#waitForReceiver(this.#away)
        schedule.restart(performance.now())
      } else if (!this.#mayBegin()) {
        await this.#pause()
      } else if (dueInMs > 0) {
        await this.#pause(dueInMs)
      } else {
        schedule.begin(performance.now())
        void this.#post()
      }
    }
    clearInterval(summaries)
    this.#poster.close()
    if (this.#failure !== undefined) throw this.#failure
    this.#options.log.info(`Generated ${this.#taken} checkins in all.`)
  }

  /** Ends at once: check-ins under way are broken off, and whether the receiver took them is not known. */
  stop(): Promise<void> {
    this.#isStopped = true
    this.#wake()
    return Promise.resolve()
  }

  /** Whether the receiver takes check-ins, as far as it is known. */
  get isTaken(): boolean {
    return !this.#isWaiting && this.#failure === undefined
  }

  #isOver(): boolean {
    return this.#isStopped || this.#failure !== undefined || this.#taken === this.#options.count
  }

  #mayBegin(): boolean {
    const { count = Infinity } = this.#options
    return this.#underWay < underWayMax && this.#taken + this.#underWay < count
  }

  async #post(): Promise<void> {
    const checkin = this.#checkins.next().value
    this.#underWay += 1
    const began = performance.now()
    const posted = await this.#poster.post(checkin)
    this.#underWay -= 1
    this.#options.onPosted?.(posted, performance.now() - began)
    this.#settle(checkin, posted)
    this.#wake()
  }

  #settle(checkin: Checkin, posted: Posted): void {
    const { url, log } = this.#options
    switch (posted.kind) {
      case 'taken':
        this.#taken += 1
        log[this.#lineLevel](
          `Generated checkin for user ${checkin.userId} at location ${checkin.locationId} with rating ${checkin.starRating}.`,
        )
        break
      case 'away':
        this.#away = posted
        break
      case 'refused':
        this.#failure = new CommandError(
          `Cannot post check-ins to ${url.origin}${url.pathname}: ${sentence(posted.reason)} ` +
            'Is it the address of the receiver? Name it with --url',
        )
    }
  }

  /** Tries with one check-in at a time, ever more seldom or when the receiver said, until it is taken. */
  async #waitForReceiver(first: Extract<Posted, { kind: 'away' }>): Promise<void> {
    const { url } = this.#options
    this.#isWaiting = true
    const at = `Receiver at ${url.origin}`
    const why = `no check-ins (${first.reason}). Trying again.`
    this.#trouble.begin(`${at} takes ${why}`, `${at} still takes ${why}`)
    for (let attempt = 0; this.#away !== undefined; attempt += 1) {
      await this.#pauseFully(this.#away.retryAfterMs ?? backoffMs(attempt))
      while (this.#underWay > 0 && !this.#isOver()) await this.#pause()
      if (this.#isOver()) {
        this.#trouble.cease()
        return
      }
      this.#away = undefined
      await this.#post()
    }
    this.#isWaiting = false
    this.#trouble.end(`${at} takes check-ins again`)
  }

  async #pauseFully(ms: number): Promise<void> {
    const until = performance.now() + ms
    for (let left = ms; left > 0 && !this.#isOver(); left = until - performance.now()) {
      await this.#pause(left)
    }
  }

  /** Ends after the time, or earlier when a check-in is settled or `stop` is called. */
  #pause(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #startSummaries(): NodeJS.Timeout | undefined {
    if (this.#options.rate <= readableRate) return undefined
    const everyMs = this.#options.isForPrograms === true ? 60_000 : summaryEveryMs
    let taken = 0
    return setInterval(() => {
      const done = this.#taken - taken
      taken = this.#taken
      if (done === 0) return
      const rate = Math.round((done * 1000) / everyMs)
      const fields = { event: 'summary', done, total: taken, rate }
      this.#options.log.info(fields, `Generated ${taken} checkins, ${rate}/s.`)
    }, everyMs)
  }
}

/** Doubling, with jitter on the upper half. */
function backoffMs(attempt: number): number {
  const bound = Math.min(backoffMostMs, backoffFirstMs * 2 ** Math.min(attempt, 10))
  return bound / 2 + (Math.random() * bound) / 2
}
