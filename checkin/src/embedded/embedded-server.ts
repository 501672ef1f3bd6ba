/**
 * The redis-server of this checkout. One per data folder, whoever starts it first owns it: its owner ends it, others
 * use it. A server whose owner was killed goes on, and the next process that starts it becomes its owner.
 */
import type { ChildProcess } from 'node:child_process'
import { CommandError } from 'millrace-ops/command'
import { choosePort } from './choose-port.ts'
import { dataFolderPath, openDataFolder, type DataFolder } from './data-folder.ts'
import { lastLines, lastWords, launchServer, readLog } from './launch-server.ts'
import {
  becomeOwner,
  hasOwner,
  lookAt,
  processIdOf,
  throwIfFrozen,
  waitUntilLoaded,
} from './own-server.ts'
import { isTorn, repairAppendOnlyFile } from './repair-append-only-file.ts'
import { urlOf } from './running-server.ts'
import { findServerBinary, type ServerBinary } from './server-binary.ts'
import type { ServerConnection } from './server-connection.ts'
import { readServerFile, writeServerFile } from './server-file.ts'
import { whileStarting } from './starting-lock.ts'
import { stopServer } from './stop-server.ts'

/** Where a start says what it does. */
export interface StartLog {
  info(text: string): void
  warn(text: string): void
}

/** The embedded server, ready for commands. */
export interface EmbeddedServer {
  readonly url: string
  readonly port: number
  /** Process id of the server. */
  readonly pid: number
  /** True when it ends with this process; false when another living process owns it. */
  readonly isOurs: boolean
  /** Settles when the server is gone, also without `stop`; gives the last lines that it printed. Never rejects. */
  readonly ended: Promise<string>
  /** Ends the server if it is ours, waiting until its data is on the disk. Otherwise only lets go of it. */
  stop(): Promise<void>
}

/**
 * Starts the embedded server, or finds the one that runs on this data folder. Waits until its data is loaded.
 * @param path data folder, default as in data-folder.ts
 * @throws {CommandError} when no server is installed, it is too old, or it refuses to start.
 */
export async function startEmbedded(
  log: StartLog,
  path: string = dataFolderPath(),
): Promise<EmbeddedServer> {
  const folder = await openDataFolder(path)
  return await whileStarting(folder, async () => {
    const remembered = await readServerFile(folder)
    const connection = remembered && (await connectionTo(folder, remembered.port, remembered.pid))
    return connection === undefined
      ? await startNew(folder, remembered?.port, log)
      : await useRunning(folder, remembered?.port ?? 0, connection, log)
  })
}

/** The connection to this folder's server if it runs. @throws {CommandError} when that cannot be told. */
async function connectionTo(
  folder: DataFolder,
  port: number,
  pid: number | null,
): Promise<ServerConnection | undefined> {
  const look = await lookAt(port, folder)
  if (look.kind === 'ours') return look.connection
  // Starting a second one on the same append-only file would destroy it.
  throwIfFrozen('start the embedded server', look, { port, pid })
  return undefined
}

async function useRunning(
  folder: DataFolder,
  port: number,
  connection: ServerConnection,
  log: StartLog,
): Promise<EmbeddedServer> {
  await waitUntilLoaded(connection)
  const isOurs = !(await hasOwner(connection))
  if (isOurs) log.info(`Taking over the embedded server at ${urlOf(port)}: its owner is gone.`)
  else log.info(`The embedded server runs already at ${urlOf(port)}.`)
  return await embeddedServer(folder, port, connection, isOurs)
}

async function startNew(
  folder: DataFolder,
  rememberedPort: number | undefined,
  log: StartLog,
): Promise<EmbeddedServer> {
  const binary = await findServerBinary()
  const port = await choosePort(folder, rememberedPort)
  // Remembered before the start: should this process be killed now, the next one finds the server.
  await writeServerFile(folder, { port, pid: null, ownerPid: process.pid })
  log.info(`Starting ${binary.name} ${binary.version} at ${urlOf(port)}, data in ${folder.path}.`)
  const { connection, child } = await launchRepaired(folder, binary, port, log)
  return await embeddedServer(folder, port, connection, true, child)
}

/** Starts the server; when its append-only file is torn, repairs that and starts it once more. */
async function launchRepaired(
  folder: DataFolder,
  binary: ServerBinary,
  port: number,
  log: StartLog,
): Promise<{ connection: ServerConnection; child: ChildProcess }> {
  let launch = await launchServer(folder, binary, port)
  if (launch.kind === 'failed' && isTorn(launch.log)) {
    log.warn('The end of the append-only file is incomplete, as after a power loss; repairing it.')
    const cut = await repairAppendOnlyFile(folder, binary)
    log.warn(`Repaired: ${cut} were cut off, an incomplete last write. Starting again.`)
    launch = await launchServer(folder, binary, port)
  }
  if (launch.kind === 'running') return { connection: launch.connection, child: launch.process }
  throw new CommandError(
    `Cannot start the embedded server: ${binary.name} ended with these lines (all are in ${folder.logFile}):\n` +
      lastLines(launch.log),
  )
}

async function embeddedServer(
  folder: DataFolder,
  port: number,
  connection: ServerConnection,
  isOurs: boolean,
  child?: ChildProcess,
): Promise<EmbeddedServer> {
  const pid = await processIdOf(connection)
  if (isOurs) {
    await becomeOwner(connection)
    await writeServerFile(folder, { port, pid, ownerPid: process.pid })
  }
  return {
    url: urlOf(port),
    port,
    pid,
    isOurs,
    ended: connection.ended.then(async () => lastWords(await readLog(folder).catch(() => ''))),
    stop: async () => {
      if (isOurs) await stopServer(connection, pid, child)
      connection.close()
    },
  }
}
