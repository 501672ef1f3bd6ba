/** What a reader is given, and how it is checked where no types have looked at it. */
import type { AppliedBatch } from '../apply/settled.ts'
import { checkObserver, checkProjections } from '../consume/given-options.ts'
import type { Fields } from '../declare/fields.ts'
import type { Projection } from '../declare/projection.ts'
import type { Entry } from '../declare/stream.ts'
import { checkKnown, type Names } from '../support/known-options.ts'
import { checkValue, flag } from '../support/option-values.ts'

/** What a reader tells while it runs. One that throws or rejects changes nothing; its first failure is a warning of the process. */
export interface ReaderObserver<F extends Fields = Fields> {
  /** Told once: it has its position, and reads from now on. */
  started?(): void
  delivered?(entries: readonly Entry<F>[]): void
  /** The server has confirmed effects and position. The next read waits until this resolves. */
  applied?(entries: readonly Entry<F>[], position: string): void | Promise<void>
  /** A batch took effect: for metrics. */
  tookEffect?(batch: AppliedBatch): void
  deadLettered?(letters: readonly { id: string; reason: string; error: string }[]): void
  waiting?(): void
}

export interface ReaderOptions<F extends Fields> {
  /** Name for logs and for the dead-letter stream, `<stream>:<name>:dead`. */
  readonly name: string
  /** Key that keeps the id of the last applied entry; missing: the stream is read from its beginning. */
  readonly positionKey: string
  readonly projections: readonly Projection<keyof F & string>[]
  /** Entries a read and a script call, 1 to 5,000, default 1,000: a call holds the server for about 4 ms. */
  readonly batch?: number
  /** Ends as soon as the end of the stream is reached, default false. */
  readonly drain?: boolean
  readonly observer?: ReaderObserver<F>
}

const readerOptions: Names<ReaderOptions<Fields>> = {
  name: true,
  positionKey: true,
  projections: true,
  batch: true,
  drain: true,
  observer: true,
}

const readerObserver: Names<ReaderObserver> = {
  started: true,
  delivered: true,
  applied: true,
  tookEffect: true,
  deadLettered: true,
  waiting: true,
}

/** @throws {TypeError} naming the option. */
export function checkReaderGiven(options: object): void {
  const action = 'make a reader'
  checkKnown(action, options, readerOptions)
  const given = options as Readonly<Record<string, unknown>>
  for (const name of ['name', 'positionKey']) {
    if (typeof given[name] === 'string' && given[name] !== '') continue
    throw new TypeError(`Cannot ${action}: ${name} is missing, or no text`)
  }
  checkValue(action, 'drain', given.drain, flag)
  checkProjections(action, given.projections)
  checkObserver(action, given.observer, readerObserver)
}
