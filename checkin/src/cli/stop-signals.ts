import { CommandError } from '../errors.ts'
import type { Log } from '../log.ts'

/** Something that works until it is told to stop. */
export interface Work {
  run(): Promise<void>
  stop(): Promise<void>
}

// npm passes the terminal's Ctrl-C on to us, who get it from the terminal too: one key press, two signals.
const sameWishMs = 300

/**
 * Runs until the work ends by itself or the first SIGINT or SIGTERM stops it in order. A second signal ends the
 * process at once; that is safe too, only slower to recover from.
 */
export async function untilStopped(work: Work, log: Log): Promise<void> {
  let stoppingSince: number | undefined
  const stop = (): void => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > sameWishMs) process.exit(130)
      return
    }
    stoppingSince = performance.now()
    work.stop().catch((error: unknown) => log.error(`Cannot stop in order: ${String(error)}`))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    await work.run()
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Says how to create what is missing, in terms of our commands. */
export const creationRemedy =
  'Create stream and group with "npm run load" (with sample data) or "npm run groups -- create"'

/** An error of the engine, with the remedy in terms of our commands. */
export function withRemedy(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'NO_GROUP' && code !== 'NO_STREAM') return error
  const message = (error as Error).message.replace(/\. Create .*$/s, '')
  if (code === 'NO_STREAM')
    return new CommandError(`${message}. ${creationRemedy}`, { cause: error })
  return new CommandError(
    `${message}. If it is new: ${creationRemedy.replace('Create', 'create')}. If it was there before and was lost: ` +
      'do not create it at 0, which would count every check-in again; see "A lost group" in docs/operations.md',
    { cause: error },
  )
}
