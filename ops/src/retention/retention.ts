/** Keeps a stream bounded: the engine's trimmer with the readers that the service has. */
import { MillraceError, Trimmer, type TrimOptions, type TrimOutcome } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { CommandError } from '../command/errors.ts'
import { Lasting } from '../command/lasting.ts'
import type { Log } from '../command/log.ts'
import type { TrimMetrics } from '../metrics/trim-metrics.ts'
import { groupNames } from '../place/find-streams.ts'
import type { Place } from '../place/place.ts'
import { countOf, printable, sentence, written } from '../terminal/words.ts'
import { heldText } from './report.ts'

/** What stays although everybody has processed it. */
export interface Reserve {
  /** Newest entries. */
  readonly keepEntries: number
  /** Entries younger than this, in milliseconds. */
  readonly keepMs: number
}

/**
 * Lets nothing be trimmed for a group that somebody named and that never was: its name may be wrong. One that was lost has
 * left its ledger.
 * @throws {CommandError} when neither the group nor its ledger is there.
 */
export async function checkGroupKnown(place: Place, name: string): Promise<void> {
  const { millrace, stream } = place
  const ledgers = await millrace.send('EXISTS', groupKeys(stream.key, name).ledger)
  if (Number(ledgers) > 0) return
  const groups = await groupNames(millrace, stream.key).catch((error: unknown) => {
    // Trimming tells better what is wrong with the stream.
    if (error instanceof MillraceError && untrimmable.has(error.code)) return [name]
    throw error
  })
  if (groups.includes(name)) return
  const some = groups.slice(0, shownMax).map(printable).join(', ')
  const more = groups.length > shownMax ? ', ...' : ''
  throw new CommandError(
    `Cannot trim stream "${stream.key}" with group "${name}": there is neither such a group nor a ledger of it. ` +
      `The stream has ${groups.length === 0 ? 'no group' : `${countOf(groups.length, 'group')}: ${some}${more}`}`,
  )
}

const untrimmable: ReadonlySet<string> = new Set(['NO_STREAM', 'WRONG_TYPE'])
const shownMax = 10

/** One run. @throws {MillraceError} NO_STREAM, WRONG_TYPE. */
export function trimOnce(
  place: Place,
  options: Reserve & { readonly dryRun: boolean },
): Promise<TrimOutcome> {
  return place.millrace.trim(place.stream, { ...options, ...needersOf(place) })
}

/** The group holds the stream even if it was lost. Who reads alone counts when it has a position: many services never run it. */
function needersOf({ groupName, knowledge }: Place): Pick<TrimOptions, 'groups' | 'readers'> {
  const readers = knowledge.readers.map(({ positionKey }) => {
    return { positionKey, ifMissing: 'ignore' } as const
  })
  return { groups: groupName === undefined ? [] : [groupName], readers }
}

export interface RetentionOptions extends Reserve {
  readonly log: Log
  readonly everyMs: number
  /** Told of each run, too; default: nobody. */
  readonly metrics?: Pick<TrimMetrics, 'ran' | 'failed'> | undefined
}

const summaryEveryMs = 60_000

/** Trims again and again, and logs what it did: the first time at once, and then once a minute. */
export class Retention {
  readonly #trimmer: Trimmer
  readonly #place: Place
  readonly #log: Log
  readonly #trouble: Lasting
  #isUnreadSaid = false
  /** Since the last line. */
  #runs = 0
  #removed = 0
  #saidAt = -Infinity

  constructor(place: Place, { log, everyMs, keepEntries, keepMs, metrics }: RetentionOptions) {
    this.#place = place
    this.#log = log
    this.#trouble = new Lasting(log)
    this.#trimmer = new Trimmer(place.millrace, place.stream, {
      ...{ everyMs, keepEntries, keepMs, ...needersOf(place) },
      observer: {
        ran: (outcome) => {
          metrics?.ran(outcome)
          this.#ran(outcome)
        },
        failed: ({ message }) => {
          metrics?.failed()
          const why = `${sentence(message)} Trying again.`
          this.#trouble.begin(`Cannot trim now: ${why}`, `Still cannot trim: ${why}`)
        },
      },
    })
  }

  /** Works until it is stopped. @throws {MillraceError} NO_STREAM, WRONG_TYPE. */
  async run(): Promise<void> {
    this.#log.info('Trimmer: Starting up.')
    await this.#trimmer.run().finally(() => this.#trouble.cease())
    this.#log.info('Trimmer: Stopped.')
  }

  async stop(): Promise<void> {
    await this.#trimmer.stop()
  }

  #ran(outcome: TrimOutcome): void {
    this.#trouble.end('Trimmer: Trimming again')
    if (outcome.kind === 'unread') {
      if (!this.#isUnreadSaid) this.#log.warn('Trimmer: Nothing is trimmed: there is no group.')
      this.#isUnreadSaid = true
      return
    }
    this.#isUnreadSaid = false
    if (outcome.kind === 'trimmed') this.#sum(outcome)
  }

  #sum({ removed, remaining, holder }: Extract<TrimOutcome, { kind: 'trimmed' }>): void {
    this.#runs += 1
    this.#removed += removed
    const now = performance.now()
    if (this.#removed === 0 || now - this.#saidAt < summaryEveryMs) return
    const [runs, trimmed] = [this.#runs, this.#removed]
    ;[this.#runs, this.#removed, this.#saidAt] = [0, 0, now]
    const many = this.#place.words.entry[1]
    const inRuns = runs === 1 ? '' : ` in ${written(runs)} runs`
    const text = `Trimmed ${written(trimmed)} ${many}${inRuns}, ${written(remaining)} stay.`
    const stream = this.#place.stream.key
    const fields = { event: 'summary', stream, trimmed, runs, length: remaining }
    this.#log.info(fields, `Trimmer: ${text} Frontier ${heldText(holder, this.#place)}`)
  }
}
