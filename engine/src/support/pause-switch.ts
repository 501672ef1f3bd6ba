import { ChangeSignal } from './change-signal.ts'

/** Whether a consumer is paused, and who waits for the change. */
export class PauseSwitch {
  #isPaused = false
  readonly #changed = new ChangeSignal()

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Returns true when this is a change. */
  set(isPaused: boolean): boolean {
    if (isPaused === this.#isPaused) return false
    this.#isPaused = isPaused
    this.#changed.notify()
    return true
  }

  /** Resolves when it is not paused, or the signal aborts. */
  async untilResumed(signal: AbortSignal): Promise<void> {
    while (this.#isPaused && !signal.aborted) await this.#changed.next(signal)
  }
}
