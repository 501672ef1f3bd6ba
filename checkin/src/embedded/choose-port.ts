import { once } from 'node:events'
import { createServer } from 'node:net'
import { CommandError } from 'millrace-ops/command'
import type { DataFolder } from './data-folder.ts'

// Below the ports that Linux gives to outgoing connections, and away from 6379.
const firstPort = 21_000
const portCount = 10_000
const triesMax = 50

/**
 * Chooses the server's port: the remembered one, else one derived from the folder's path, so that each checkout has
 * its own from start to start; the next free one when another program has it.
 * @throws {CommandError} when none of the candidates is free.
 */
export async function choosePort(
  folder: DataFolder,
  remembered: number | undefined,
): Promise<number> {
  const derived = hash(folder.path) % portCount
  const candidates = Array.from(
    { length: triesMax },
    (_, step) => firstPort + ((derived + step) % portCount),
  )
  if (remembered !== undefined) candidates.unshift(remembered)
  for (const port of candidates) {
    if (await isFree(port)) return port
  }
  throw new CommandError(
    `Cannot start the embedded server: no port from ${firstPort + derived} on is free. ` +
      'Set REDIS_URL to a server of yours',
  )
}

/** True when a server can listen on this port of the host. */
export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false
    throw error
  }
}

/** FNV-1a, 32 bits: the same port for the same path on every machine. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  return value
}
