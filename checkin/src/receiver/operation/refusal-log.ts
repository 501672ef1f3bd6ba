import { MillraceError, type MillraceErrorCode } from 'millrace'
import type { Log } from '../../log.ts'
import { countOf, sentence } from 'millrace-ops/terminal'

const lineEveryMs = 1000
const againEveryMs = 60_000
/** The refusal of a check-in says for so long that others are refused, too. */
const tellingMs = 5000

/**
 * Remembers that requests are refused, and why, and says so: when it begins, once a minute while it lasts, and when it is over. Promise:
 * at most a line a second, and of reasons that come in turn one a minute.
 */
export class RefusalLog {
  readonly #log: Log
  /** By reason: when it was said last. */
  readonly #saidAt = new Map<string, number>()
  #isRefusing = false
  #refused = 0
  #lastRefusalMs = 0
  #lastLineMs = -Infinity
  #lastCheckin: { readonly code: MillraceErrorCode; readonly at: number } | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** Why the last check-in was refused by Redis; undefined when one was taken since, or it was more than 5 s ago. */
  get ofCheckins(): MillraceErrorCode | undefined {
    const { code, at } = this.#lastCheckin ?? { at: -Infinity }
    return performance.now() - at < tellingMs ? code : undefined
  }

  /** Called for each request that is answered with 503. @param isCheckin it brought check-ins */
  refused(error: unknown, isCheckin: boolean): void {
    const now = performance.now()
    const code = error instanceof MillraceError ? error.code : undefined
    const reason = code ?? String(error)
    if (isCheckin) this.failed(error)
    this.#isRefusing = true
    this.#refused += 1
    this.#lastRefusalMs = now
    const saidAt = this.#saidAt.get(reason)
    if (now - this.#lastLineMs < lineEveryMs || now - (saidAt ?? -Infinity) < againEveryMs) return
    this.#saidAt.set(reason, now)
    this.#lastLineMs = now
    const still = saidAt === undefined ? 'Answering' : 'Still answering'
    const text = error instanceof Error ? error.message : reason
    const fields = { event: 'refusing', reason, refused: this.#refused }
    this.#log.warn(fields, sentence(`${still} with 503: ${text}`))
  }

  /** Called where check-ins fail for a reason that somebody else tells. */
  failed(error: unknown): void {
    if (!(error instanceof MillraceError)) return
    this.#lastCheckin = { code: error.code, at: performance.now() }
  }

  /** Called for each check-in that was taken, so it costs next to nothing while all is well. */
  served(): void {
    this.#lastCheckin = undefined
    if (!this.#isRefusing) return
    const now = performance.now()
    // Under overload one is taken while the next is refused: calm for a while is what counts.
    if (now - this.#lastRefusalMs < lineEveryMs) return
    if (this.#saidAt.size > 0) {
      const refused = this.#refused
      const text = `Taking check-ins again, after ${countOf(refused, 'refused request')}.`
      this.#log.info({ event: 'taking', refused }, text)
      this.#lastLineMs = now
    }
    this.#saidAt.clear()
    this.#isRefusing = false
    this.#refused = 0
  }
}
