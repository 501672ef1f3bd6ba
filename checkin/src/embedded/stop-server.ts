import type { ChildProcess } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { ended } from './launch-server.ts'
import { ServerRefusal, type ServerConnection } from './server-connection.ts'

const patienceMs = 10_000

/**
 * Ends the server and waits until it is gone: by SHUTDOWN, which writes what is not on the disk yet; by SIGTERM when it
 * refuses, and by SIGKILL when it does not end within ten seconds.
 */
export async function stopServer(
  connection: ServerConnection,
  pid: number,
  child: ChildProcess | undefined,
): Promise<void> {
  connection.send('SHUTDOWN').catch((error: unknown) => {
    // A server that does shut down ends the connection in place of an answer.
    if (error instanceof ServerRefusal) process.kill(pid, 'SIGTERM')
  })
  const stopped = new AbortController()
  const tooLate = delay(patienceMs, undefined, { signal: stopped.signal })
    .then(() => process.kill(pid, 'SIGKILL'))
    // Aborted, as the server is gone in time.
    .catch(() => undefined)
  await Promise.all([connection.ended, child && ended(child)])
  stopped.abort()
  await tooLate
}
