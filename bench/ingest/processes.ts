/** Starts and asks the processes of the benchmark `ingest`. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Cost, LoadOrder, LoadReport } from './messages.ts'

/** One order, one report. */
export async function load(order: LoadOrder): Promise<LoadReport> {
  const child = start('load-process.ts', [])
  try {
    child.send(order)
    return await message<LoadReport>(child)
  } finally {
    child.kill('SIGKILL')
  }
}

export async function cost(server: ChildProcess): Promise<Cost> {
  server.send('cost')
  return await message<Cost>(server)
}

/** A process of the benchmark, by its file in this folder. */
export function start(file: string, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv: process.execArgv })
}

/** @throws {Error} when the process ends instead of saying something. */
export async function message<Message>(child: ChildProcess): Promise<Message> {
  const over = new AbortController()
  const { signal } = over
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('A process of the benchmark ended by itself')
  })
  ended.catch(() => undefined)
  try {
    const [value] = (await Promise.race([once(child, 'message', { signal }), ended])) as [Message]
    return value
  } finally {
    over.abort()
  }
}
