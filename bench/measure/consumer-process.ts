/**
 * A consumer of one rival, in a process of its own: `consumer-process.ts PROGRAM CONSUMER URL SETUP`.
 * Connects and says `ready`; consumes from `go` on, until it is killed; says what it cost when it is asked.
 */
import { loadProgram } from '../rivals/load-program.ts'
import type { Setup } from '../rivals/rival.ts'
import type { Order, Report } from './consumer-messages.ts'
import { profileNode, type NodeParts } from './node-profile.ts'

const [programName = '', name = '', url = '', setup = '{}'] = process.argv.slice(2)

let endProfile: (() => Promise<NodeParts>) | undefined

try {
  const program = await loadProgram(programName)
  process.once('disconnect', () => process.exit(0))
  const loop = await program.connect({ url, name, setup: JSON.parse(setup) as Setup })
  let before = process.cpuUsage()
  process.on('message', (order: Order) => {
    if (order === 'usage') {
      const { user, system } = process.cpuUsage(before)
      report({ kind: 'usage', cpuMicros: user + system })
      return
    }
    if (order !== 'go') {
      profile(order).catch(fail)
      return
    }
    before = process.cpuUsage()
    loop().then(() => fail(new Error('the loop ended by itself')), fail)
  })
  report({ kind: 'ready' })
} catch (error) {
  fail(error)
}

async function profile(order: 'profile' | 'profiled'): Promise<void> {
  if (order === 'profile') {
    endProfile = await profileNode()
    report({ kind: 'profiling' })
  } else if (endProfile !== undefined) report({ kind: 'profiled', parts: await endProfile() })
}

function fail(error: unknown): void {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  report({ kind: 'failed', message }, () => process.exit(1))
}

function report(message: Report, sent: () => void = () => undefined): void {
  process.send?.(message, sent)
}
