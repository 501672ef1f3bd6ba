/**
 * Says in the log how the connection to Redis is. Promise: what lasts is said once when it begins, once a minute while it
 * lasts, and once when it is over.
 */
import type { ConnectOptions } from 'millrace'
import { sentence } from '../terminal/words.ts'
import { Lasting } from '../command/lasting.ts'
import type { Log } from '../command/log.ts'

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
