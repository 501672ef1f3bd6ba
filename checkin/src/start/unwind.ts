/** Undoes steps in their reverse order, each one even when another fails. */
export class Unwind {
  readonly #steps: (() => Promise<void>)[] = []

  /** Adds what is to be done before everything added so far. */
  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  /** Does all steps, each once. @throws the first error of them, at the end. */
  async run(): Promise<void> {
    const errors: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      await step().catch((error: unknown) => errors.push(error))
    }
    if (errors.length > 0) throw errors[0]
  }
}

/** The promise's value, unless the signal comes first. @throws the signal's reason */
export function unless<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
