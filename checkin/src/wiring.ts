import { connect, MillraceError, type Millrace } from 'millrace'
import { connectionLog } from './connection-log.ts'
import type { Config, LogLevel } from './config.ts'
import { checkinModel, type CheckinModel } from './domain/checkins.ts'
import { runningServer } from './embedded/running-server.ts'
import { CommandError, UsageError } from './errors.ts'
import { openLog, type Log } from './log.ts'
import { inOurWords } from './redis-tls.ts'
import { typed } from './terminal/typed.ts'

/** What every command is given: the configuration and the parts made from it. */
export interface Wiring {
  readonly config: Config
  readonly model: CheckinModel
  /**
   * Opens the service's log; `LOG_LEVEL` wins over the level that the command asks for (default `info`). On a terminal each
   * line begins with the time of day, unless `hasTime` is false.
   */
  readonly openLog: (options?: { readonly level?: LogLevel; readonly hasTime?: boolean }) => Log
  /** Finds the server that the commands work on: `REDIS_URL`, the embedded one, or `redis://127.0.0.1:6379`. */
  readonly serverUrl: () => Promise<string>
  /** Connects to that server. @throws {CommandError} naming the ways to get one when none answers. */
  readonly connect: (log?: Log) => Promise<Millrace>
}

const defaultUrl = 'redis://127.0.0.1:6379'

export function wire(config: Config): Wiring {
  const serverUrl = async (): Promise<string> =>
    config.redisUrl ?? (await runningServer())?.url ?? defaultUrl
  return {
    config,
    model: checkinModel(config.keyPrefix),
    openLog: ({ level = 'info', hasTime = true } = {}) =>
      openLog({
        level: config.logLevel ?? level,
        format: config.logFormat,
        hasTime: hasTime && process.stdout.isTTY,
      }),
    serverUrl,
    connect: async (log) => connectTo(await serverUrl(), config, log),
  }
}

async function connectTo(url: string, config: Config, log: Log | undefined): Promise<Millrace> {
  try {
    return await connect({
      url,
      ...(config.redisTls !== undefined && { tls: config.redisTls }),
      ...(log && connectionLog(log)),
    })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(inOurWords(error.message))
    if (!(error instanceof MillraceError) || error.code !== 'UNREACHABLE') throw error
    if (config.redisUrl !== undefined) {
      throw new MillraceError(error.code, inOurWords(error.message), { cause: error })
    }
    throw new CommandError(
      `Cannot connect to Redis: no embedded server runs in this checkout and nothing answers at ${defaultUrl}. ` +
        `Start the whole service with "${typed('start')}", the embedded server alone with "${typed('redis')}", ` +
        'or set REDIS_URL to a server of yours',
      { cause: error },
    )
  }
}
