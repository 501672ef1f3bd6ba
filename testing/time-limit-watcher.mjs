/** The thread of `time-limit.mjs`: ends the test file when one of its tests does not end, and says which. */
import { writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { clearTimeout, setTimeout } from 'node:timers'
import { parentPort, workerData } from 'node:worker_threads'

const { file, limitMs } = workerData
/** By number: the tests that run. */
const running = new Map()
/** For servers of the tests to be stopped and folders to be removed, which a busy process cannot. */
const graceMs = 2000

parentPort.on('message', ({ number, name }) => {
  const began = running.get(number)
  if (began === undefined) {
    running.set(number, { name, since: performance.now(), timer: setTimeout(end, limitMs) })
  } else {
    clearTimeout(began.timer)
    running.delete(number)
  }
})

function end() {
  const seconds = ({ since }) => Math.round((performance.now() - since) / 1000)
  const tests = [...running.values()].map((test) => `"${test.name}" for ${seconds(test)} s`)
  const said = `Ended ${file}: a test has not ended in ${limitMs / 1000} s. Running: ${tests.join(', ')}\n`
  // Not by console: its lines would go through the thread that hangs.
  writeSync(2, said)
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs)
}
