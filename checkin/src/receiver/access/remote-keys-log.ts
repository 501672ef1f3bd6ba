import type { Log } from '../../log.ts'
import { duration, escaped, sentence } from 'millrace-ops/terminal'
import type { ReceiverMetrics } from '../metrics/metrics.ts'
import type { RemoteKeys } from './remote-keys.ts'

const lineEveryMs = 60_000

/** Says that the keys of tokens cannot be read, and why: when it begins, once a minute, and when it is over; and counts it. */
export function watchKeys(keys: RemoteKeys | undefined, log: Log, metrics: ReceiverMetrics): void {
  if (keys === undefined) return
  const looked = metrics.watchKeys(() => keys.ageMs)
  let saidAt: number | undefined
  keys.observe({
    read: () => {
      looked('read')
      if (saidAt !== undefined) log.info('The keys of the tokens can be read again.')
      saidAt = undefined
    },
    failed: ({ message }, ageMs) => {
      looked('failed')
      if (saidAt !== undefined && performance.now() - saidAt < lineEveryMs) return
      saidAt = performance.now()
      const rest =
        ageMs === undefined
          ? 'Tokens are answered with 503'
          : `Going on with those of ${duration(Math.round(ageMs))} ago`
      log.warn({ event: 'jwks-unreadable' }, `${sentence(escaped(message))} ${rest}.`)
    },
  })
}
