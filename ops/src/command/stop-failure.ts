import type { Log } from './log.ts'

/** Says in the log that work could not be stopped in order. */
export const saysStopFailure =
  (log: Pick<Log, 'error'>) =>
  (error: unknown): void =>
    log.error(`Cannot stop in order: ${String(error)}`)
