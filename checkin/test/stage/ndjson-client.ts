/** A client that streams check-ins and reads the results meanwhile. */
import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { waitFor } from '../../../testing/wait-for.ts'

/** A line of the answer. */
export interface ResultLine {
  readonly index?: number
  readonly status: number
  readonly id?: string
  readonly replayed?: true
  readonly stoppedAt?: number
  readonly problem?: {
    readonly type: string
    readonly detail: string
    readonly errors?: { pointer: string }[]
  }
}

export class NdjsonClient {
  readonly results: ResultLine[] = []
  readonly #request: ClientRequest
  #answer: IncomingMessage | undefined
  #rest = ''
  isOver = false

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#request = request(`${url}/api/checkins`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    })
    this.#request.on('error', () => (this.isOver = true))
    this.#request.on('response', (answer) => {
      this.#answer = answer
      answer.setEncoding('utf8')
      answer.on('data', (text: string) => this.#take(text))
      answer.on('close', () => (this.isOver = true))
      answer.on('error', () => undefined)
    })
  }

  get status(): number | undefined {
    return this.#answer?.statusCode
  }

  get answer(): IncomingMessage | undefined {
    return this.#answer
  }

  /** Sends text as it is, or values as lines. Resolves when more can be sent. */
  async write(...lines: readonly (string | Buffer | object)[]): Promise<void> {
    for (const line of lines) {
      const bytes = typeof line === 'string' || Buffer.isBuffer(line) ? line : jsonLine(line)
      if (!this.#request.write(bytes))
        await Promise.race([once(this.#request, 'drain'), this.over()])
    }
  }

  async end(): Promise<readonly ResultLine[]> {
    this.#request.end()
    await this.over()
    return this.results
  }

  destroy(): void {
    this.#request.destroy()
  }

  async over(): Promise<void> {
    await waitFor(() => this.isOver, { what: 'the end of the answer', timeoutMs: 20_000 })
  }

  async untilResults(count: number): Promise<void> {
    await waitFor(() => this.results.length >= count, { what: `${count} results` })
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.results.push(JSON.parse(line) as ResultLine)
  }
}

export function jsonLine(value: object): string {
  return `${JSON.stringify(value)}\n`
}

export function ndjson(...values: readonly object[]): string {
  return values.map(jsonLine).join('')
}
