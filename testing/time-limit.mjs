/**
 * Gives each test of a test file a time limit, and names the test that has not ended by then: node's own `--test-timeout` is for the whole file,
 * names nothing but the file, and waits for ever for one that is too busy to be told. To be preloaded (`--import`).
 *
 * MILLRACE_TEST_LIMIT_S is the limit in seconds, default 120; 0 for none, as for a debugger.
 */
import { beforeEach } from 'node:test'
import { Worker } from 'node:worker_threads'

/** Tells the watcher of a test: what it is about is the test's number. */
let tell = () => undefined
const numbers = new WeakMap()
const limit = Number(process.env.MILLRACE_TEST_LIMIT_S ?? 120)

// The runner is preloaded, too, and so is what a test starts: only a test file has tests.
if (limit > 0 && process.env.NODE_TEST_CONTEXT === 'child-v8' && isTestFile(process.argv[1]))
  watch()

function watch() {
  // A thread of its own sees the time pass where a test lets nothing else happen.
  const watcher = new Worker(new URL('time-limit-watcher.mjs', import.meta.url), {
    workerData: { file: process.argv[1] },
    execArgv: [],
  })
  watcher.unref()
  tell = (message) => watcher.postMessage(message)
  let count = 0
  beforeEach((t) => {
    count += 1
    const number = count
    numbers.set(t, number)
    tell({ kind: 'begins', number, name: t.fullName ?? t.name, limitMs: limit * 1000 })
    // The signal comes when all is over, `after` included, and when the test skipped itself, where `afterEach` is left out.
    t.signal.addEventListener('abort', () => tell({ kind: 'ends', number }))
  })
}

/** Gives a test so many seconds from now on, where the limit of all is too short for it, or too long. */
export function mayTake(t, seconds) {
  tell({ kind: 'may take', number: numbers.get(t), limitMs: seconds * 1000 })
}

function isTestFile(path = '') {
  return /\.test\.[cm]?[jt]s$/.test(path)
}
