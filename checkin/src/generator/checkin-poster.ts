import * as http from 'node:http'
import * as https from 'node:https'
import type { Checkin } from '../domain/checkins.ts'

/** What became of a posted check-in. */
export type Posted =
  | { readonly kind: 'taken' }
  /** Not now: the receiver is away (`reason`) or says so; `retryAfterMs` when it says for how long. */
  | { readonly kind: 'away'; readonly reason: string; readonly retryAfterMs: number | undefined }
  /** Whoever listens there does not know check-ins. */
  | { readonly kind: 'refused'; readonly reason: string }

const answerWithinMs = 10_000

/** Posts check-ins to a receiver, over connections that are kept open. */
export class CheckinPoster {
  readonly #url: URL
  readonly #agent: http.Agent
  readonly #request: typeof http.request

  constructor(url: URL, connectionsMax: number) {
    const isTls = url.protocol === 'https:'
    const options = { keepAlive: true, maxSockets: connectionsMax, scheduling: 'lifo' } as const
    this.#url = url
    this.#agent = isTls ? new https.Agent(options) : new http.Agent(options)
    this.#request = isTls ? https.request : http.request
  }

  /** Never rejects. */
  post(checkin: Checkin): Promise<Posted> {
    const body = JSON.stringify(checkin)
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    return new Promise((resolve) => {
      const away = (reason: string): void =>
        resolve({ kind: 'away', reason, retryAfterMs: undefined })
      const request = this.#request(
        this.#url,
        { method: 'POST', agent: this.#agent, headers, timeout: answerWithinMs },
        (response) => {
          response.resume() // Without reading to the end the connection cannot be used again.
          response.on('end', () => resolve(outcome(response)))
          response.on('error', (error) => away(describe(error)))
        },
      )
      request.on('timeout', () => request.destroy(new Error(`no answer in ${answerWithinMs} ms`)))
      request.on('error', (error) => away(describe(error)))
      request.end(body)
    })
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#agent.destroy()
  }
}

function outcome(response: http.IncomingMessage): Posted {
  const status = response.statusCode ?? 0
  const reason = `it answers ${status} ${response.statusMessage ?? ''}`.trimEnd()
  if (status >= 200 && status < 300) return { kind: 'taken' }
  const isPassing = status >= 500 || status === 408 || status === 429
  if (!isPassing) return { kind: 'refused', reason }
  return { kind: 'away', reason, retryAfterMs: retryAfterMs(response.headers['retry-after']) }
}

/** Seconds or a date, as RFC 9110 allows; at most a minute is believed. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 60_000)
}

function describe(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message
}
