import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from 'millrace-ops/command'
import type { DataFolder } from './data-folder.ts'
import { lookAt, waitUntilLoaded } from './own-server.ts'
import type { ServerBinary } from './server-binary.ts'
import type { ServerConnection } from './server-connection.ts'

/** How a start ended. `failed` carries what the server printed. */
export type Launch =
  | {
      readonly kind: 'running'
      readonly process: ChildProcess
      readonly connection: ServerConnection
    }
  | { readonly kind: 'failed'; readonly log: string }

const logBytesMax = 1024 * 1024
const answerWithinMs = 30_000

/** Starts the server on this port and waits until it has loaded its data, or has ended. */
export async function launchServer(
  folder: DataFolder,
  binary: ServerBinary,
  port: number,
): Promise<Launch> {
  await writeFile(folder.configFile, configOf(folder, port))
  const logFrom = await trimLog(folder)
  const log = await open(folder.logFile, 'a')
  let child: ChildProcess
  try {
    // A process group of its own: a terminal's Ctrl-C must not end the server before its clients are done.
    child = spawn(binary.file, [folder.configFile], {
      cwd: folder.path,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    await once(child, 'spawn')
  } finally {
    await log.close()
  }
  child.unref()
  const connection = await firstAnswer(folder, child, port)
  if (connection !== undefined) return { kind: 'running', process: child, connection }
  return { kind: 'failed', log: await readLog(folder, logFrom) }
}

/** The last lines of a server's log, for an error message. */
export function lastLines(log: string): string {
  return log.trim().split('\n').slice(-6).join('\n')
}

/** What a server that took work said at its end, as a sentence. The lines of its start say nothing of that. */
export function lastWords(log: string): string {
  const ready = log.lastIndexOf('Ready to accept connections')
  const lines = lastLines(ready < 0 ? log : log.slice(ready).replace(/^.*/, ''))
  return lines === '' ? 'It said nothing, so it was killed perhaps' : `It said last:\n${lines}`
}

/** What the server has printed since a position, or in its last 4 KiB. */
export async function readLog(folder: DataFolder, from?: number): Promise<string> {
  const bytes = await readFile(folder.logFile)
  return bytes.subarray(from ?? -4096).toString()
}

/** The server's connection once its data is loaded; undefined when it has ended before. */
async function firstAnswer(
  folder: DataFolder,
  child: ChildProcess,
  port: number,
): Promise<ServerConnection | undefined> {
  const deadline = performance.now() + answerWithinMs
  while (child.exitCode === null && child.signalCode === null) {
    const look = await lookAt(port, folder)
    if (look.kind === 'ours') {
      // Loading takes as long as it takes; a server that gives up on its data ends, and the connection with it.
      const isLoaded = await waitUntilLoaded(look.connection).then(
        () => true,
        () => false,
      )
      if (isLoaded) return look.connection
      await ended(child)
    } else if (performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new CommandError(
        `Cannot start the embedded server: it does not answer within ${answerWithinMs / 1000} s. See ${folder.logFile}`,
      )
    } else {
      await delay(15)
    }
  }
  return undefined
}

/** Waits for the end of a process; returns at once when it is over. */
export async function ended(child: ChildProcess): Promise<void> {
  child.ref()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Empties a log that has grown too long; gives the position where this start's lines begin. */
async function trimLog(folder: DataFolder): Promise<number> {
  const size = await stat(folder.logFile).then(
    (found) => found.size,
    () => 0,
  )
  if (size <= logBytesMax) return size
  await truncate(folder.logFile)
  return 0
}

function configOf(folder: DataFolder, port: number): string {
  return `# Written at each start of the embedded server; changes are lost.
port ${port}
bind 127.0.0.1
protected-mode yes
dir ${JSON.stringify(folder.path)}
daemonize no
save ""
appendonly yes
appendfsync everysec
# A torn file is repaired before the start. The server's own repair leaves a transaction open when the tear is inside
# one, and what is appended later is lost with it at the next start.
aof-load-truncated no
maxmemory-policy noeviction
`
}
