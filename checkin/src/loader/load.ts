/** Puts the contents of a data folder into Redis, in the place of what was there. */
import type { Millrace } from 'millrace'
import { CommandError } from '../errors.ts'
import type { LoadedData } from './data-folder.ts'
import { liveConsumers } from './live-consumers.ts'
import { checkKeys, replace, type Removed, type Target } from './replacement.ts'

export interface LoadOptions extends Target {
  /** Loads even while consumers are alive, which then fail, since their group is gone; default false. */
  readonly isForced?: boolean
  /** Is told how many more records are in Redis. */
  readonly onWritten?: (count: number) => void
  /** Is told whom a forced load disturbs. */
  readonly onDisturbed?: (consumers: readonly string[]) => void
}

/**
 * Replaces stream, dead letters, position and hashes by the data, and creates the group at 0.
 * @throws {CommandError} when consumers are alive or a key holds another type: then nothing was changed.
 * @throws {CommandError} when it broke off in the middle: then there is no stream, and loading again repairs it.
 */
export async function load(
  millrace: Millrace,
  data: LoadedData,
  options: LoadOptions,
): Promise<Removed> {
  await checkKeys(millrace, options, data)
  const live = await liveConsumers(millrace, options.model)
  if (live.length > 0) {
    if (options.isForced !== true) throw isAlive(live)
    options.onDisturbed?.(live)
  }
  return await replace(millrace, options, data, options.onWritten ?? (() => undefined))
}

function isAlive(live: readonly string[]): CommandError {
  return new CommandError(
    `Cannot load while consumers are alive: ${live.join(', ')}. ` +
      'Stop them (Ctrl-C), or load with --force. Nothing was loaded',
  )
}
