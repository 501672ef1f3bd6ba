/**
 * A consumer of one rival, in a process of its own: `consumer-process.ts RIVAL CONSUMER URL`.
 * Connects and says `ready`; consumes from `go` on; at `stop` reports what it cost and ends, whatever it is doing.
 */
import type { Order, Report } from './consumer-messages.ts'
import { rivals } from './rivals/all.ts'

const [rivalName, name = '', url = ''] = process.argv.slice(2)

try {
  const rival = rivals.find((known) => known.name === rivalName)
  if (rival === undefined) throw new RangeError(`Cannot consume: no rival "${String(rivalName)}"`)
  process.once('disconnect', () => process.exit(0))
  const loop = await rival.connect({ url, name })
  let before = process.cpuUsage()
  process.on('message', (order: Order) => {
    if (order === 'stop') {
      const { user, system } = process.cpuUsage(before)
      report({ kind: 'stopped', cpuMicros: user + system }, () => process.exit(0))
      return
    }
    before = process.cpuUsage()
    loop().then(() => fail(new Error('the loop ended by itself')), fail)
  })
  report({ kind: 'ready' })
} catch (error) {
  fail(error)
}

function fail(error: unknown): void {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  report({ kind: 'failed', message }, () => process.exit(1))
}

function report(message: Report, sent: () => void = () => undefined): void {
  process.send?.(message, sent)
}
