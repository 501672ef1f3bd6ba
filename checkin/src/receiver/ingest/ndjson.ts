/**
 * A stream of check-ins, one JSON object a line, answered by a stream of results in the same order. Promise: memory is
 * bounded however long the stream is; each line that was read gets its own outcome; a result goes out as soon as it is
 * known, and what the client does not read holds up what is read from it.
 */
import type { Readable } from 'node:stream'
import type { AppendOutcome } from 'millrace'
import { problemResult, resultOf, type CheckinItem } from './batch-item.ts'
import { BodyChunks } from './body-chunks.ts'
import { LineSplitter, tooLong, type Line } from './line-splitter.ts'
import { StreamAnswer, type NdjsonAnswer } from './stream-answer.ts'
import { plainProblem, type Problem } from '../http/problem.ts'

/** What the stream works with. */
export interface NdjsonParts {
  readonly read: (value: unknown, index: number) => { item: CheckinItem } | { problem: Problem }
  /** One call to the store. */
  readonly append: (items: readonly CheckinItem[]) => Promise<readonly AppendOutcome[]>
  readonly problemOf: (error: unknown) => Problem
  /** Is told of lines that are not recorded: refused before the store was asked, or because it failed. */
  readonly refused: (status: number, count: number) => void
  /** Resolves when so many lines more may be taken; to a problem when that takes too long. */
  readonly untilFree: (lines: number) => Promise<Problem | undefined>
  /** Lines that are taken at once, at most. */
  readonly linesAtOnce: number
  /** Aborts when the receiver closes. */
  readonly closing: AbortSignal
  /** Without a valid line for so long (ms) the stream is ended: wrong ones keep nothing alive. */
  readonly idleMs: number
  /** So long (ms) in all the body may be waited for; undefined: for ever. */
  readonly waitMaxMs: number | undefined
  /** The results are to be kept until all are known, as far as they are short, so that the status says how it went. */
  readonly isWhole: boolean
}

const lineMaxBytes = 16 * 1024
// While the store works on some, others are parsed and others told.
const callsAtOnce = 4

export class NdjsonStream {
  readonly #parts: NdjsonParts
  readonly #chunks: BodyChunks
  readonly #answer: StreamAnswer
  /** Why it ends before its end. */
  #halt: Problem | undefined
  #lastGoodAt = performance.now()
  #lines = 0
  #accepted = 0
  #refusedByUs = 0

  constructor(source: Readable, parts: NdjsonParts) {
    this.#parts = parts
    this.#chunks = new BodyChunks(source)
    this.#answer = new StreamAnswer(parts.isWhole)
  }

  /**
   * Starts to work; once.
   * @returns how the answer begins, when that is known; its body goes on for as long as the stream does.
   */
  answer(): Promise<NdjsonAnswer> {
    void this.#work()
    return this.#answer.begun
  }

  /** True when the stream was ended here: its client may still be sending. */
  get isHalted(): boolean {
    return this.#halt !== undefined
  }

  async #work(): Promise<void> {
    const { closing, idleMs, waitMaxMs = Infinity } = this.#parts
    const close = (): void => this.#stop(isClosing)
    closing.addEventListener('abort', close)
    if (closing.aborted) close()
    const watch = setInterval(() => {
      if (performance.now() - this.#lastGoodAt > idleMs) this.#stop(isIdle)
      if (this.#chunks.waitedMs > waitMaxMs) this.#stop(isSlow)
    }, idleMs / 4)
    await this.#pump()
    clearInterval(watch)
    closing.removeEventListener('abort', close)
    await this.#finish()
  }

  /** Never rejects. */
  async #pump(): Promise<void> {
    const splitter = new LineSplitter(lineMaxBytes)
    const { linesAtOnce } = this.#parts
    const told: Promise<void>[] = []
    let last: Promise<void> = Promise.resolve()
    for (let isEnd = false; !isEnd && this.#halt === undefined;) {
      const chunk = await this.#next()
      isEnd = chunk === undefined
      const lines = chunk === undefined ? splitter.end() : splitter.push(chunk)
      for (let at = 0; at < lines.length; at += linesAtOnce) {
        const some = lines.slice(at, at + linesAtOnce)
        if (!(await this.#mayGoOn(some.length))) break
        const text = this.#settle(some)
        const before = last
        last = before.then(async () => this.#tell(await text))
        told.push(last)
        if (told.length >= callsAtOnce) await told.shift()
      }
    }
    await last
  }

  /** The next bytes; undefined at the end, and when the stream is halted. */
  async #next(): Promise<Buffer | undefined> {
    try {
      return await this.#chunks.next()
    } catch {
      // The client is gone in the middle: its last line may be cut, and nobody reads the answer.
      this.#stop(isGone)
      return undefined
    }
  }

  #stop(reason: Problem): void {
    this.#halt ??= reason
    this.#chunks.wake()
  }

  async #mayGoOn(lines: number): Promise<boolean> {
    const askedAt = performance.now()
    const problem = await this.#parts.untilFree(lines)
    this.#lastGoodAt += performance.now() - askedAt
    if (problem !== undefined) this.#stop(problem)
    return this.#halt === undefined
  }

  /** Sends some lines to the store and returns their results as text. Never rejects. */
  async #settle(lines: readonly Line[]): Promise<string> {
    const first = this.#lines
    this.#lines += lines.length
    const texts: string[] = []
    const items: CheckinItem[] = []
    const places: number[] = []
    for (const [at, line] of lines.entries()) {
      const reading = this.#read(line, first + at)
      if ('problem' in reading) {
        texts[at] = problemLine(reading.problem, first + at)
        this.#parts.refused(reading.problem.status, 1)
      } else {
        items.push(reading.item)
        places.push(at)
      }
    }
    if (items.length === 0) return texts.join('')
    this.#lastGoodAt = performance.now()
    try {
      const outcomes = await this.#parts.append(items)
      for (const [n, at] of places.entries()) {
        const outcome = outcomes[n]
        if (outcome !== undefined) texts[at] = this.#outcomeLine(outcome, first + at)
      }
    } catch (error) {
      const problem = this.#parts.problemOf(error)
      this.#stop(problem)
      this.#refusedByUs += places.length
      this.#parts.refused(problem.status, places.length)
      for (const at of places) texts[at] = problemLine(problem, first + at)
    }
    return texts.join('')
  }

  #read(line: Line, index: number): { item: CheckinItem } | { problem: Problem } {
    if (line === tooLong) return { problem: longLine }
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return { problem: brokenLine }
    }
    return this.#parts.read(value, index)
  }

  #outcomeLine(outcome: AppendOutcome, index: number): string {
    if ('id' in outcome) this.#accepted += 1
    else if (outcome.kind === 'keys-full') this.#refusedByUs += 1
    // By hand: this is done for every line.
    return outcome.kind === 'appended'
      ? `{"index":${index},"status":202,"id":"${outcome.id}"}\n`
      : `${JSON.stringify(resultOf(outcome, index))}\n`
  }

  async #tell(text: string): Promise<void> {
    const halt = this.#accepted === 0 ? this.#halt : undefined
    if (!(await this.#answer.tell(text, halt?.status ?? 207))) this.#stop(isGone)
  }

  async #finish(): Promise<void> {
    const halt = this.#halt
    if (halt !== undefined) {
      // What comes last has no index: it is about all lines from `stoppedAt` on, none of which was recorded.
      const end = { status: halt.status, stoppedAt: this.#lines, problem: halt }
      await this.#tell(`${JSON.stringify(end)}\n`)
    }
    this.#answer.end(this.#status())
  }

  /** When all is known. */
  #status(): number {
    const rejected = this.#lines - this.#accepted
    if (this.#accepted > 0) return rejected === 0 && this.#halt === undefined ? 202 : 207
    if (this.#halt !== undefined) return this.#halt.status
    return rejected > 0 && this.#refusedByUs === rejected ? 503 : 422
  }
}

function problemLine(problem: Problem, index: number): string {
  return `${JSON.stringify(problemResult(problem, index))}\n`
}

const longLine = plainProblem(413, 'The line is longer than 16 KB')
const brokenLine = plainProblem(400, 'The line is not valid JSON')
const isIdle = plainProblem(408, 'No valid line came for too long')
const isSlow = plainProblem(408, 'The request did not arrive in time')
const isGone = plainProblem(400, 'The stream broke off')
const isClosing: Problem = {
  type: '/problems/unavailable',
  title: 'Temporarily unavailable',
  status: 503,
  detail: 'The receiver is being stopped. Go on elsewhere',
}
