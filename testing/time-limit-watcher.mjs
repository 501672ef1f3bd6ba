/** The thread of `time-limit.mjs`: ends the test file when one of its tests does not end, and says which. */
import { writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { clearTimeout, setTimeout } from 'node:timers'
import { parentPort, workerData } from 'node:worker_threads'

const { file } = workerData
/** By number: the tests that run. */
const running = new Map()
/** For servers of the tests to be stopped and folders to be removed, which a busy process cannot. */
const graceMs = 2000

parentPort.on('message', ({ kind, number, name, limitMs }) => {
  if (kind === 'begins') running.set(number, { name, since: performance.now() })
  const test = running.get(number)
  if (test === undefined) return
  clearTimeout(test.timer)
  if (kind === 'ends') running.delete(number)
  else test.timer = setTimeout(end, limitMs, test)
})

function end(late) {
  const seconds = ({ since }) => Math.round((performance.now() - since) / 1000)
  const others = [...running.values()].filter((test) => test !== late)
  const told = (test) => `"${test.name}" for ${seconds(test)} s`
  const also = others.length === 0 ? '' : `. Also running: ${others.map(told).join(', ')}`
  const said = `Ended ${file}: "${late.name}" has not ended in ${seconds(late)} s${also}\n`
  // Not by console: its lines would go through the thread that hangs.
  writeSync(2, said)
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs)
}
