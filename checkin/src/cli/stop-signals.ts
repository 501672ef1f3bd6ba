import { endInOrder } from '../early-end.ts'
import { CommandError } from '../errors.ts'
import type { Log } from '../log.ts'
import { sentence } from '../terminal/words.ts'
import { typed } from '../terminal/typed.ts'

/** Something that works until it is told to stop. */
export interface Work {
  run(): Promise<void>
  /** @param signal the one that asks for the end. */
  stop(signal: NodeJS.Signals): Promise<void>
}

// npm passes the terminal's Ctrl-C on to us, who get it from the terminal too: one key press, two signals.
const sameWishMs = 300

/**
 * Runs until the work ends by itself or the first SIGINT or SIGTERM stops it in order. A second signal ends the
 * process at once; that is safe too, only slower to recover from.
 */
export async function untilStopped(work: Work, log: Log): Promise<void> {
  let stoppingSince: number | undefined
  const stop = (signal: NodeJS.Signals): void => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince > sameWishMs) process.exit(130)
      return
    }
    stoppingSince = performance.now()
    work.stop(signal).catch((error: unknown) => log.error(`Cannot stop in order: ${String(error)}`))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  endInOrder()
  try {
    await work.run()
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** Says how to create what is missing, in terms of our commands. */
export const creationRemedy = `If it was there before: "${typed('recover')}". If it is new: "${typed('groups create')}", or "${typed('load')}" for sample data`

const groupRemedy = `If it was there before and was lost: "${typed('recover')}". If it is new: "${typed('groups create')}"`

const recoveryRemedy = `Look at what can be recovered with "${typed('recover')}"`

/** An error of the engine, with the remedy in terms of our commands. */
export function withRemedy(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'NO_STREAM':
      return remedied(error, /\. Create .*$/s, creationRemedy)
    case 'NO_GROUP':
      return remedied(error, /\. Create .*$/s, groupRemedy)
    case 'GROUP_MOVED':
      return remedied(
        error,
        /\. Stop all consumers and recover.*$/s,
        `Stop all processors, then "${typed('recover')}"`,
      )
    case 'GROUP_LOST':
      return remedied(error, /\. Recover it$/, recoveryRemedy)
    default:
      return error
  }
}

/** The message without the engine's remedy, and with ours. */
function remedied(error: unknown, engineRemedy: RegExp, remedy: string): CommandError {
  const state = (error as Error).message.replace(engineRemedy, '')
  return new CommandError(`${sentence(state)} ${remedy}`, { cause: error })
}
