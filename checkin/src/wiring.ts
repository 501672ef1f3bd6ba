import { MillraceError, type ConnectOptions, type Millrace } from 'millrace'
import { connectTo, type Log as ConnectionLog } from 'millrace-ops/command'
import type { Config, LogLevel } from './config.ts'
import { checkinModel, type CheckinModel } from './domain/checkins.ts'
import { runningServer } from './embedded/running-server.ts'
import { openLog, type Log } from './log.ts'
import { typed } from './terminal/typed.ts'

/** What every command is given: the configuration and the parts made from it. */
export interface Wiring {
  readonly config: Config
  readonly model: CheckinModel
  /**
   * Opens the service's log; `LOG_LEVEL` wins over the level that the command asks for (default `info`). On a terminal each
   * line begins with the time of day, unless `hasTime` is false.
   */
  readonly openLog: (options?: {
    readonly level?: LogLevel
    readonly hasTime?: boolean
    readonly mixin?: (() => object) | undefined
  }) => Log
  /** Finds the server that the commands work on: `REDIS_URL`, the embedded one, or `redis://127.0.0.1:6379`. */
  readonly serverUrl: () => Promise<string>
  /** Connects to that server. @throws {MillraceError} naming the ways to get one when none answers. */
  readonly connect: (log?: ConnectionLog, tracing?: Tracing) => Promise<Millrace>
}

type Tracing = ConnectOptions['tracing']

const defaultUrl = 'redis://127.0.0.1:6379'

export function wire(config: Config): Wiring {
  const serverUrl = async (): Promise<string> =>
    config.redisUrl ?? (await runningServer())?.url ?? defaultUrl
  return {
    config,
    model: checkinModel(config.keyPrefix),
    openLog: ({ level = 'info', hasTime = true, mixin } = {}) =>
      openLog({
        level: config.logLevel ?? level,
        format: config.logFormat,
        hasTime: hasTime && process.stdout.isTTY,
        mixin,
      }),
    serverUrl,
    connect: async (log, tracing) => connectFor(await serverUrl(), config, { log, tracing }),
  }
}

async function connectFor(
  url: string,
  config: Config,
  given: { readonly log: ConnectionLog | undefined; readonly tracing: Tracing | undefined },
): Promise<Millrace> {
  try {
    return await connectTo({ url, tls: config.redisTls, ...given })
  } catch (error) {
    const isNobodyThere = error instanceof MillraceError && error.code === 'UNREACHABLE'
    if (!isNobodyThere || config.redisUrl !== undefined) throw error
    const told = {
      action: 'Cannot connect to Redis',
      state: `no embedded server runs in this checkout and nothing answers at ${defaultUrl}`,
      remedy:
        `Start the whole service with "${typed('start')}", the embedded server alone with "${typed('redis')}", ` +
        'or set REDIS_URL to a server of yours',
    }
    throw new MillraceError(error.code, told, { cause: error })
  }
}
