/** Puts the contents of a data folder into Redis, in the place of what was there. */
import type { Millrace } from 'millrace'
import { CommandError } from 'millrace-ops/command'
import { countOf } from 'millrace-ops/terminal'
import type { LoadedData } from './data-folder.ts'
import { liveConsumers } from './live-consumers.ts'
import { checkKeys, replace, type Removed, type Target } from './replacement.ts'
import { isReplaceable, newestIdOf, takeStock, type Stock } from './stock.ts'
import { typed } from '../terminal/typed.ts'

export interface LoadOptions extends Target {
  /** Loads even while consumers are alive, which then fail, since their group is gone; default false. */
  readonly isForced?: boolean
  /** Other data that may be replaced, since it can be loaded again; the data itself always may. */
  readonly known?: readonly LoadedData[]
  /** Asked before anything else is removed; ends the load by throwing. Default: it is not removed. */
  readonly onReplace?: (stock: Stock) => Promise<void>
  /** Flags that it was called with: the line that a refusal names has them, too. */
  readonly flags?: readonly string[]
  /** Is told how many more records are in Redis. */
  readonly onWritten?: (count: number) => void
  /** Is told whom a forced load disturbs. */
  readonly onDisturbed?: (consumers: readonly string[]) => void
}

/**
 * Replaces stream, dead letters, position and hashes by the data, and creates the group at 0.
 * @throws {CommandError} when consumers are alive, a key holds another type, or what is there could not be loaded again and
 *   nobody allows to remove it: then nothing was changed.
 * @throws {CommandError} when it broke off in the middle: then there is no stream, and loading again repairs it.
 */
export async function load(
  millrace: Millrace,
  data: LoadedData,
  options: LoadOptions,
): Promise<Removed> {
  const { model, known = [], onReplace, flags = [] } = options
  await checkKeys(millrace, options, data)
  const live = await liveConsumers(millrace, model)
  if (live.length > 0) {
    if (options.isForced !== true) throw isAlive(live, flags)
    options.onDisturbed?.(live)
  }
  const stock = await takeStock(millrace, model, [data, ...known])
  if (!isReplaceable(stock)) {
    if (onReplace === undefined) throw isPrecious(stock, millrace.url, options)
    await onReplace(stock)
    // Who was asked may have thought about it for long.
    if ((await newestIdOf(millrace, model.checkins.key)) !== stock.newestId) {
      throw new CommandError(
        'Cannot load: more check-ins have come meanwhile. Stop the receivers. Nothing was loaded',
      )
    }
  }
  return await replace(millrace, options, data, options.onWritten ?? (() => undefined))
}

/** Counts as people read them: `3 users, 1 check-in`; what is 0 is left out. */
export function countsInWords({ users, locations, checkins, deadLetters }: Removed): string {
  const parts = [
    [users, 'user'],
    [locations, 'location'],
    [checkins, 'check-in'],
    [deadLetters, 'dead letter'],
  ] as const
  return parts
    .filter(([count]) => count > 0)
    .map(([count, noun]) => countOf(count, noun))
    .join(', ')
}

/** What of a stock no load brings back: `3 users, group "a", which is lost`. */
export function beyondInWords({ beyond, lostGroups }: Stock): string {
  const lost = lostGroups.map((name) => `group "${name}", which was lost and can be recovered`)
  return [countsInWords(beyond), ...lost].filter((part) => part !== '').join(', ')
}

function isPrecious(stock: Stock, url: string, { model, flags }: LoadOptions): CommandError {
  const recovery =
    stock.lostGroups.length > 0 ? ` See what can be recovered with "${typed('recover')}".` : ''
  return new CommandError(
    `Cannot load into stream "${model.checkins.key}" at ${url}: there is more than sample data: ${beyondInWords(stock)}. ` +
      `Nothing was loaded.${recovery} To remove all that is there (${countsInWords(stock.all)}): ${typedLoad(flags, '--replace')}`,
  )
}

function isAlive(live: readonly string[], flags: readonly string[]): CommandError {
  return new CommandError(
    `Cannot load while consumers are alive: ${live.join(', ')}. Nothing was loaded. ` +
      `Stop them (Ctrl-C), or load all the same: ${typedLoad(flags, '--force')}`,
  )
}

/** The line that a refusal names: as it was called, with one flag more. */
export const typedLoad = (flags: readonly string[] = [], flag: string): string =>
  typed(['load', ...flags, flag].join(' '))
