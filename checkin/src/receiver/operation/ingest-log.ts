/** Says once a minute how many check-ins were sent and what became of them; nothing where none was. */
import type { IngestCounts } from '../metrics/metrics.ts'
import type { Log } from '../../log.ts'
import { countOf, written } from 'millrace-ops/terminal'

const everyMs = 60_000

/** @param read the counts since the receiver began. @returns what ends it. */
export function logIngest(log: Pick<Log, 'info'>, read: () => IngestCounts): () => void {
  let before: IngestCounts = {}
  let since = performance.now()
  const timer = setInterval(() => {
    const [counts, now] = [read(), performance.now()]
    const sent = Object.entries(counts).flatMap(([outcome, count]) => {
      const more = count - (before[outcome] ?? 0)
      return more === 0 ? [] : [[outcome, more] as const]
    })
    const seconds = (now - since) / 1000
    before = counts
    since = now
    if (sent.length === 0) return
    const { accepted = 0, ...others } = Object.fromEntries(sent)
    const rate = Math.round(accepted / seconds)
    const rest = Object.entries(others).map(([outcome, count]) => `, ${outcome} ${written(count)}`)
    const fields = { event: 'summary', accepted, rate, ...others }
    log.info(fields, `Took ${countOf(accepted, 'check-in')}, ${written(rate)}/s${rest.join('')}.`)
  }, everyMs).unref()
  return () => clearInterval(timer)
}
