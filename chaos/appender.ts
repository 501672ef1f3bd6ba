/** Appends check-ins by XADD, in bursts, through all that happens; each operation's outcome goes to the history. */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError, type Millrace } from 'millrace'
import type { SeededRandom } from '../testing/seeded-random.ts'
import type { History } from './history.ts'
import { fieldsOf, randomOperation, type Operation, type Sort } from './operation.ts'

export interface AppenderParts {
  readonly millrace: Millrace
  readonly stream: string
  readonly history: History
  readonly random: SeededRandom
}

/** How much is appended: a burst of 1 to twice `burst` entries, then a pause. */
export interface Pace {
  readonly burst: number
  readonly pauseMs: number
}

export class Appender {
  readonly #parts: AppenderParts
  /** How often the server has answered an append with this error code. */
  readonly refusals = new Map<string, number>()
  /** When an append was last confirmed, as `performance.now()`. */
  confirmedAt = 0
  #appending: Promise<void> | undefined
  #isAppending = false
  #gate: Promise<void> | undefined

  constructor(parts: AppenderParts) {
    this.#parts = parts
  }

  /** Appends at random until it is stopped. */
  start({ burst, pauseMs }: Pace): void {
    this.#isAppending = true
    const { random } = this.#parts
    const loop = async (): Promise<void> => {
      while (this.#isAppending) {
        await this.append(random.between(1, 2 * burst))
        await delay(pauseMs)
      }
    }
    this.#appending = loop()
  }

  async stop(): Promise<void> {
    this.#isAppending = false
    await this.#appending
  }

  /** Appends nothing until `action` is done. */
  async heldDuring<Result>(action: () => Promise<Result>): Promise<Result> {
    const { promise, resolve } = withResolver()
    this.#gate = promise
    try {
      return await action()
    } finally {
      this.#gate = undefined
      resolve()
    }
  }

  /** Appends so many at once, in one burst. Returns the operations when all are settled. */
  async append(
    many: number,
    given: { readonly sort?: Sort; readonly userId?: number; readonly id?: string } = {},
  ): Promise<Operation[]> {
    await this.#gate
    const { history, random } = this.#parts
    const operations = Array.from({ length: many }, () => {
      const operation = randomOperation(history.operations.length, history.now, random, given)
      history.operations.push(operation)
      return operation
    })
    await Promise.all(operations.map((operation) => this.#send(operation, given.id ?? '*')))
    return operations
  }

  async #send(operation: Operation, id: string): Promise<void> {
    const { millrace, stream } = this.#parts
    try {
      const given = await millrace.send('XADD', stream, 'NOMKSTREAM', id, ...fieldsOf(operation))
      // Nothing is said when there is no stream.
      operation.outcome = given === null ? 'refused' : 'ok'
      if (given !== null) this.confirmedAt = performance.now()
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1)
      const isUnknown = error.code === 'DISCONNECTED' || error.code === 'TIMEOUT'
      operation.outcome = isUnknown ? 'unknown' : 'refused'
    }
  }
}

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((fulfil) => (resolve = fulfil))
  return { promise, resolve }
}
