/**
 * Calls of the functions that only look on. Promise: an observer is for logging, so one that throws or rejects harms nobody: what was
 * to be told is done already, and the work goes on.
 */
import { messageOf } from './shown.ts'

/** The parameters of an observer's function. */
type Told<Call> = Call extends (...args: infer Args) => unknown ? Args : never

export class ObserverCalls<O extends object> {
  readonly #observer: O
  readonly #of: string
  readonly #reported = new Set<string>()

  /** @param of whose observer it is, for the warning */
  constructor(observer: O, of: string) {
    this.#observer = observer
    this.#of = of
  }

  /**
   * Calls it, if it is there. Never throws. The first failure of each function becomes a warning of the process, which Node prints.
   * @returns where the function is asynchronous, what resolves when it has ended; never rejects.
   */
  tell<Name extends keyof O & string>(
    name: Name,
    ...args: Told<NonNullable<O[Name]>>
  ): Promise<void> | undefined {
    const observer = this.#observer as Record<Name, ((...told: unknown[]) => unknown) | undefined>
    try {
      const ended = observer[name]?.(...args)
      if (!(ended instanceof Promise)) return undefined
      return ended.then(
        () => undefined,
        (error: unknown) => this.#failed(name, error),
      )
    } catch (error) {
      this.#failed(name, error)
      return undefined
    }
  }

  #failed(name: string, error: unknown): void {
    if (this.#reported.has(name)) return
    this.#reported.add(name)
    const text = `The observer of ${this.#of} failed in "${name}": ${messageOf(error)}. The work goes on; its next failures there are not told`
    const detail = error instanceof Error ? (error.stack ?? '') : ''
    process.emitWarning(text, { type: 'MillraceWarning', code: 'MILLRACE_OBSERVER', detail })
  }
}
