import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from 'millrace-ops/command'
import type { DataFolder } from './data-folder.ts'
import { ServerConnection, ServerRefusal } from './server-connection.ts'
import type { ServerFile } from './server-file.ts'
import { isAlive } from './starting-lock.ts'

/** What a look at a port finds. `silent`: somebody listens but does not answer. */
export type Look =
  | { readonly kind: 'ours'; readonly connection: ServerConnection }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'other' }
  | { readonly kind: 'silent' }

const answerWithinMs = 3000

/** Name of the connection that the server's owner holds: as long as it is there, the owner lives. */
const ownerName = 'millrace-owner'

/**
 * Looks whether the server of this data folder listens on the port. The server's own word counts, and not a process
 * id: another checkout or another program may have the port by now. Works while the server loads its data.
 */
export async function lookAt(port: number, folder: DataFolder): Promise<Look> {
  const connection = await ServerConnection.open(port)
  if (connection === undefined) return { kind: 'nobody' }
  const kind = await inTime(
    connection.send('CONFIG', 'GET', 'dir').then(
      (reply) => (Array.isArray(reply) && reply[1] === folder.path ? 'ours' : 'other'),
      (error: unknown) => (isRefusal(error, 'BUSY') ? 'silent' : 'other'),
    ),
  )
  if (kind === 'ours') return { kind, connection }
  connection.close()
  return { kind: kind ?? 'silent' }
}

/**
 * Tells a server that is frozen from one that does not run.
 * @throws {CommandError} when its process lives and does not answer.
 */
export function throwIfFrozen(
  action: string,
  { kind }: Look,
  { port, pid }: Pick<ServerFile, 'port' | 'pid'>,
): void {
  if (kind !== 'silent' || pid === null || !isAlive(pid)) return
  throw new CommandError(
    `Cannot ${action}: process ${pid} on port ${port} seems to be the embedded server, but does not answer. ` +
      `Let it go on with "kill -CONT ${pid}", or end it with "kill -9 ${pid}"`,
  )
}

/** Waits until the server has loaded its data. @throws {Error} when the server ends before. */
export async function waitUntilLoaded(connection: ServerConnection): Promise<void> {
  for (;;) {
    try {
      await connection.send('PING')
      return
    } catch (error) {
      if (!(error instanceof ServerRefusal)) throw error
      // Any other refusal, like MISCONF on a full disk, comes from a server that has its data.
      if (!isRefusal(error, 'LOADING')) return
      await delay(100)
    }
  }
}

/** True when a living process has taken responsibility for the server's end. */
export async function hasOwner(connection: ServerConnection): Promise<boolean> {
  return String(await connection.send('CLIENT', 'LIST')).includes(` name=${ownerName} `)
}

/** Takes that responsibility for as long as the connection is open. */
export async function becomeOwner(connection: ServerConnection): Promise<void> {
  await connection.send('CLIENT', 'SETNAME', ownerName)
}

/** The server's process id. */
export async function processIdOf(connection: ServerConnection): Promise<number> {
  const info = String(await connection.send('INFO', 'server'))
  return Number(/^process_id:(\d+)/m.exec(info)?.[1])
}

function isRefusal(error: unknown, code: string): boolean {
  return error instanceof ServerRefusal && error.message.startsWith(code)
}

/** The promise's value, or undefined when it takes too long. */
async function inTime<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  const stopped = new AbortController()
  const tooLate = delay(answerWithinMs, undefined, { signal: stopped.signal }).catch(
    () => undefined,
  )
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    stopped.abort()
  }
}
