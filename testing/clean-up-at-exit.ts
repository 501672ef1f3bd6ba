import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { after } from 'node:test'

const alive = new Set<ChildProcess>()
const folders = new Set<string>()

// A runner that loses patience sends SIGTERM; without a handler the `exit` event would not come.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1))
}
process.on('exit', () => {
  endAll()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

// A test that failed may have left one running, which would keep its file from ending.
if (process.env.NODE_TEST_CONTEXT !== undefined) after(endAll)

function endAll(): void {
  for (const child of alive) child.kill('SIGKILL')
}

/** Kills the child when the test process ends, so that no test leaves a process behind. */
export function killAtExit(child: ChildProcess): void {
  alive.add(child)
  child.once('exit', () => alive.delete(child))
}

/** Removes a temporary folder and what is in it when the test process ends. */
export function removeAtExit(folder: string): void {
  folders.add(folder)
}
