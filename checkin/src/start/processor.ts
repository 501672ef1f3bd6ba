import { setTimeout as delay } from 'node:timers/promises'
import { ServiceChild } from './service-child.ts'

export interface ProcessorOptions {
  /** Its consumer name. */
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  readonly onTrouble: (text: string) => void
}

const firstPauseMs = 500
const longestPauseMs = 10_000
/** A processor that ran for so long has recovered. */
const healthyMs = 30_000

/**
 * Keeps one group processor running: when it dies, another takes its place under its name. Promise: no death of a
 * processor ends the service.
 */
export class Processor {
  readonly name: string
  readonly #options: ProcessorOptions
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #child: ServiceChild
  /** Of the processes before the present one. */
  #processedBefore = 0
  #processedNow = 0

  constructor(options: ProcessorOptions) {
    this.name = options.name
    this.#options = options
    this.#child = this.#start()
    this.#ended = this.#keepRunning()
  }

  /** Check-ins that it has reported as processed, up to a second ago. */
  get processed(): number {
    return this.#processedBefore + this.#processedNow
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#child.stop()
    await this.#ended
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping
    let pauseMs = firstPauseMs
    for (;;) {
      const startedAt = performance.now()
      await this.#child.ended
      if (signal.aborted) return
      if (performance.now() - startedAt > healthyMs) pauseMs = firstPauseMs
      this.#options.onTrouble(
        `${this.name} ended with ${this.#child.ending}\n${this.name} starts again in ${pauseMs / 1000} s`,
      )
      // Rejects when the service stops in the meantime.
      await delay(pauseMs, undefined, { signal }).catch(() => undefined)
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it changes while we wait
      if (signal.aborted) return
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      this.#processedBefore = this.processed
      this.#processedNow = 0
      this.#child = this.#start()
    }
  }

  #start(): ServiceChild {
    return new ServiceChild({
      ...this.#options,
      args: ['group-processor', this.name],
      onMessage: (message) => {
        if (message.kind === 'processed') this.#processedNow = message.count
      },
    })
  }
}
