import {
  connect,
  MillraceError,
  type ConnectOptions,
  type Millrace,
  type TlsOptions,
} from 'millrace'
import { connectionLog } from './connection-log.ts'
import { UsageError } from '../command/errors.ts'
import type { Log } from '../command/log.ts'
import { readTls, tlsVariables } from './redis-tls.ts'

export interface ServerOptions {
  readonly url: string
  readonly tls?: TlsOptions | undefined
  /** Told when the connection is lost and when it is back. */
  readonly log?: Log | undefined
  /** What is appended and processed is traced; default: not. */
  readonly tracing?: ConnectOptions['tracing']
}

/** @throws {UsageError} when URL or certificates cannot be used; {MillraceError} when nothing answers there. */
export async function connectTo({ url, tls, log, tracing }: ServerOptions): Promise<Millrace> {
  try {
    const told = { tlsNames: tlsVariables, ...(log && connectionLog(log)), tracing }
    return await connect({ url, ...(tls && { tls }), ...told })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

const defaultUrl = 'redis://127.0.0.1:6379'

/**
 * Connects to what `--redis` names, or `REDIS_URL`, or the server of this machine; certificates by `REDIS_TLS_...`.
 * @param given.byDefault the server of this machine
 */
export async function connectByEnvironment(
  env: NodeJS.ProcessEnv,
  { url, log, byDefault = defaultUrl }: Partial<Given>,
): Promise<Millrace> {
  const named = url ?? (env.REDIS_URL === '' ? undefined : env.REDIS_URL)
  const tls = readTls(env, named)
  try {
    return await connectTo({ url: named ?? byDefault, tls, log })
  } catch (error) {
    const isUnnamed = named === undefined && error instanceof MillraceError
    if (!isUnnamed || error.code !== 'UNREACHABLE' || isSilent(error)) throw error
    throw error.withRemedy(
      'That is the default, as no server was named: give --redis URL, or set REDIS_URL',
    )
  }
}

/** Somebody is there, and does not answer. */
const isSilent = ({ cause }: MillraceError): boolean =>
  cause instanceof MillraceError && cause.code === 'TIMEOUT'

interface Given extends Pick<ServerOptions, 'url' | 'log'> {
  readonly byDefault: string
}
