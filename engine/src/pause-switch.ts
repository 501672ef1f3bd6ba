/** Whether a consumer is paused, and who waits for the change. */
export class PauseSwitch {
  #isPaused = false
  #waiting: (() => void)[] = []

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Returns true when this is a change. */
  set(isPaused: boolean): boolean {
    if (isPaused === this.#isPaused) return false
    this.#isPaused = isPaused
    this.#wake()
    return true
  }

  /** Resolves when it is not paused, or the signal aborts. */
  async untilResumed(signal: AbortSignal): Promise<void> {
    while (this.#isPaused && !signal.aborted) await this.#changed(signal)
  }

  /** Resolves at the next change, or when the signal aborts. */
  async #changed(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.push(wake)
      signal.addEventListener('abort', wake)
    })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}
