/**
 * Says in the log how the connection to Redis is. Promise: what lasts is said once when it begins, once a minute while it
 * lasts, and once when it is over.
 */
import type { ConnectOptions } from 'millrace'
import { sentence } from '../terminal/words.ts'
import type { Log } from '../command/log.ts'

const againEveryMs = 60_000

/** The callbacks for `connect`. */
export function connectionLog(
  log: Log,
): Required<Omit<ConnectOptions, 'url' | 'name' | 'tls' | 'tlsNames' | 'tracing'>> {
  const loss = new Lasting(log)
  const refusal = new Lasting(log)
  return {
    onDisconnect: ({ message }) => {
      const why = `${sentence(message)} Reconnecting.`
      loss.begin(`Connection to Redis lost: ${why}`, `Still no connection to Redis: ${why}`)
    },
    onReconnect: () => loss.end('Connection to Redis is back'),
    onRefused: ({ message }) => {
      const why = `${sentence(message)} Looking whether its URL leads elsewhere.`
      refusal.begin(`Redis refuses all work: ${why}`, `Redis still refuses all work: ${why}`)
    },
    onAccepted: () => refusal.end('Redis takes work again'),
  }
}

class Lasting {
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #since = 0

  constructor(log: Log) {
    this.#log = log
  }

  begin(first: string, again: string): void {
    clearInterval(this.#timer)
    this.#since = performance.now()
    this.#log.warn(first)
    this.#timer = setInterval(() => this.#log.warn(again), againEveryMs).unref()
  }

  end(line: string): void {
    clearInterval(this.#timer)
    const seconds = ((performance.now() - this.#since) / 1000).toFixed(1)
    this.#log.info(`${line}, after ${seconds} s.`)
  }
}
