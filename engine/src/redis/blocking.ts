/** Reads that wait in the server: when they are taken for lost, and how they are ended. */
import type { Connection } from './connection.ts'
import { isDeclined } from './error-replies.ts'

/** A read that takes so much longer (ms) than its BLOCK is lost: a half-open connection, a frozen server. */
export const overdueMs = 3000
/** A read that was sent in the moment of an unblocking may reach the server later: it is ended again and again, in this time (ms). */
export const unblockEveryMs = 50

/**
 * Makes a function that ends a waiting read at once. Where the server does not offer that, or not to this user, it does
 * nothing: the BLOCK of the read ends it.
 */
export async function unblocker(reading: Connection, commands: Connection): Promise<() => void> {
  try {
    const clientId = String(await reading.send(['CLIENT', 'ID']))
    return () => void commands.send(['CLIENT', 'UNBLOCK', clientId]).catch(() => undefined)
  } catch (error) {
    if (isDeclined(error)) return () => undefined
    throw error
  }
}

/** Unblocks from the abort on until the returned function is called. */
export function unblockAtAbort(signal: AbortSignal, unblock: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    unblock()
    timer = setInterval(unblock, unblockEveryMs)
  }
  signal.addEventListener('abort', onAbort)
  return () => {
    signal.removeEventListener('abort', onAbort)
    clearInterval(timer)
  }
}
