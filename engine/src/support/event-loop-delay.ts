import { createHistogram } from 'node:perf_hooks'

const everyMs = 20

/**
 * How long this process lets its events wait. (`monitorEventLoopDelay` forgets the time before the first tick after
 * each reset: of a process that is behind for a second at a time it sees nothing.)
 */
export class EventLoopDelay {
  readonly #late = createHistogram()
  #timer: NodeJS.Timeout | undefined
  #last = 0

  start(): void {
    this.#last = performance.now()
    this.#timer = setInterval(() => this.#tick(), everyMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** The 99th percentile in milliseconds since the last call; null when there was no event. */
  take(): number | null {
    const { count } = this.#late
    const ms = this.#late.percentile(99) / 1000
    this.#late.reset()
    return count === 0 ? null : ms
  }

  #tick(): void {
    const now = performance.now()
    const lateMs = Math.max(0, now - this.#last - everyMs)
    this.#last = now
    // In microseconds; it takes no 0.
    this.#late.record(Math.round(lateMs * 1000) + 1)
  }
}
