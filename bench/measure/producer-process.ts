/**
 * An open-loop producer in a process of its own: `producer-process.ts ORDER`. Sends each check-in when it is due,
 * whatever the consumers do, and never waits for a reply before the next one.
 */
import { setImmediate } from 'node:timers/promises'
import { loadProgram } from '../rivals/load-program.ts'
import { makeWorkload } from '../workload/checkins.ts'
import { monotonicMs } from './clock.ts'
import type { ProducerOrder, ProducerReport } from './producer-messages.ts'

const nobody = new Int32Array(new SharedArrayBuffer(4))
const napMs = { least: 0.2, most: 1 }

try {
  process.once('disconnect', () => process.exit(0))
  await produce(JSON.parse(process.argv[2] ?? '{}') as ProducerOrder)
} catch (error) {
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  report({ kind: 'failed', message })
}

async function produce({
  program: name,
  url,
  rate,
  count,
  probeEvery,
}: ProducerOrder): Promise<void> {
  const program = await loadProgram(name)
  const producer = await program.backlog.openProducer(url)
  const checkins = [...makeWorkload({ count, probeEvery })]
  const go = new Promise((resolve) => process.once('message', resolve))
  report({ kind: 'ready' })
  await go
  const cpuBefore = process.cpuUsage()
  const startedAt = monotonicMs()
  const dueAt = (index: number): number => startedAt + (index * 1000) / rate
  const lateMs: number[] = []
  const appended: Promise<unknown>[] = []
  for (let sent = 0; sent < count;) {
    const now = monotonicMs()
    const due = Math.min(count, 1 + Math.floor(((now - startedAt) * rate) / 1000))
    if (due > sent) {
      appended.push(producer.append(checkins.slice(sent, due)))
      lateMs.push(now - dueAt(sent))
      sent = due
    }
    // Replies are read, and what was written is sent, in the turns between.
    await setImmediate()
    nap(dueAt(sent) - monotonicMs())
  }
  await Promise.all(appended)
  const { user, system } = process.cpuUsage(cpuBefore)
  report({ kind: 'done', startedAt, lateMs, cpuMicros: user + system })
}

/** Sleeps more finely than a timer of Node can, and leaves the core to others meanwhile. */
function nap(ms: number): void {
  Atomics.wait(nobody, 0, 0, Math.min(Math.max(ms, napMs.least), napMs.most))
}

function report(message: ProducerReport): void {
  process.send?.(message)
}
