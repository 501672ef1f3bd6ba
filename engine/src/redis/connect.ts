/** How a user connects: what the options may be, and that the server is new enough. */
import { MillraceError } from '../support/errors.ts'
import { unknownOption, type Names } from '../support/known-options.ts'
import { ObserverCalls } from '../support/observer-calls.ts'
import { persist } from '../support/persist.ts'
import type { Tracing } from '../trace/tracing.ts'
import { connectTimeoutMs } from './client.ts'
import { Connection, type Reply } from './connection.ts'
import { isDeclined } from './error-replies.ts'
import { readAddress, type ServerAddress } from './server-address.ts'
import { tooOldVersion } from './server-info.ts'
import { checkTls, ownNames, type TlsNames, type TlsOptions } from './tls-options.ts'

export interface ConnectOptions {
  /**
   * `redis://user:password@host:6379/0`; `rediss://` for TLS; `unix:///run/redis.sock?db=0` for a socket. User, password,
   * port (6379) and database (0) may be missing; what is special in user and password is percent-encoded.
   */
  readonly url: string
  /** Name of the connection in CLIENT LIST, without spaces; default `millrace`. Where a server refuses names, it has none. */
  readonly name?: string
  /** With `rediss://`: authorities to trust, a certificate of our own, the name of the server. Default: the well-known authorities. */
  readonly tls?: TlsOptions
  /** What messages call the parts of `tls`, for a program whose users give them elsewhere; default `tls.ca` and so on. */
  readonly tlsNames?: TlsNames
  /** Called each time the connection is lost; it reconnects by itself. */
  readonly onDisconnect?: (error: MillraceError) => void
  /** Called each time it is there again. */
  readonly onReconnect?: () => void
  /**
   * Called once when the server answers, but refuses all work: READ_ONLY at once (it is a replica), SERVER_BUSY after three
   * seconds (it loads its data, lacks replicas or its primary, cannot write to its disk). The connection is then made
   * anew, again and again, since the name may lead to another server by now.
   */
  readonly onRefused?: (error: MillraceError) => void
  /** Called when it takes work again. */
  readonly onAccepted?: () => void
  /** What `tracing()` of `millrace/otel` returns; default: nothing is traced, and nothing of OpenTelemetry is loaded. */
  readonly tracing?: Tracing | undefined
}

/** What a connection is made with. */
export interface ConnectionOptions extends Pick<
  ConnectOptions,
  'onDisconnect' | 'onReconnect' | 'onRefused' | 'onAccepted'
> {
  readonly address: ServerAddress
  /** For an address of TLS. */
  readonly tls?: TlsOptions | undefined
  /** Default: as the options of {@link TlsOptions} are called. */
  readonly tlsNames?: TlsNames | undefined
  /** Shown by CLIENT LIST. */
  readonly name: string
  /** A connection for blocking reads: each has a deadline of its own, so no pings (they would wait behind the read). */
  readonly isBlocking?: boolean
}

const known: Names<ConnectOptions> = {
  url: true,
  name: true,
  tls: true,
  tlsNames: true,
  onDisconnect: true,
  onReconnect: true,
  onRefused: true,
  onAccepted: true,
  tracing: true,
}

/**
 * Connects as the options say.
 * @throws {TypeError} naming what cannot be used. {MillraceError} UNREACHABLE, AUTHENTICATION, SERVER_TOO_OLD.
 */
export async function openConnection(options: ConnectOptions): Promise<Connection> {
  const address = checkConnectOptions(options)
  const { name = 'millrace', tls, tlsNames } = options
  const calls = new ObserverCalls(options, `connection "${name}"`)
  const connection = await Connection.open({
    ...{ address, tls, tlsNames, name },
    onDisconnect: (error) => void calls.tell('onDisconnect', error),
    onReconnect: () => void calls.tell('onReconnect'),
    onRefused: (error) => void calls.tell('onRefused', error),
    onAccepted: () => void calls.tell('onAccepted'),
  })
  try {
    await checkVersion(connection)
  } catch (error) {
    connection.destroy()
    throw error
  }
  return connection
}

/** @throws {MillraceError} SERVER_TOO_OLD, UNREACHABLE when the connection is lost again and again. */
async function checkVersion(connection: Connection): Promise<void> {
  let info: string
  try {
    // It only reads, so one whose reply is lost is sent again.
    const send = (): Promise<Reply> => connection.send(['INFO', 'server'], connectTimeoutMs)
    info = String(await persist(AbortSignal.timeout(connectTimeoutMs), send))
  } catch (error) {
    // Where INFO is not offered, or not to this user, all the work can still be done.
    if (isDeclined(error)) return
    if (!wasLost(error)) throw error
    throw connection.cannotConnect(error)
  }
  const version = tooOldVersion(info)
  if (version === undefined) return
  throw new MillraceError('SERVER_TOO_OLD', {
    action: `Cannot use ${connection.shownUrl}`,
    state: `it is Redis ${version}, and 7.0 or later is needed`,
    remedy: 'Update it, or use another server',
  })
}

function wasLost(error: unknown): boolean {
  return (
    error instanceof MillraceError &&
    ['DISCONNECTED', 'TIMEOUT', 'UNREACHABLE'].includes(error.code)
  )
}

/** @throws {TypeError} naming what cannot be used, before anything connects. No value is in it: it may be a password. */
function checkConnectOptions(options: ConnectOptions): ServerAddress {
  // Without types anything can be given.
  const given: unknown = options
  if (typeof given !== 'object' || given === null) {
    throw refused("options are an object, like { url: 'redis://host:6379' }")
  }
  const problem = unknownOption(options, known)
  if (problem !== undefined) throw refused(problem)
  const address = readAddress(options.url)
  checkName(options.name)
  for (const name of ['onDisconnect', 'onReconnect', 'onRefused', 'onAccepted'] as const) {
    const listener: unknown = options[name]
    if (listener !== undefined && typeof listener !== 'function')
      throw refused(`${name} is no function`)
  }
  checkTlsNames(options.tlsNames)
  checkTlsOption(options.tls, address, options.tlsNames)
  checkTracing(options.tracing)
  return address
}

function checkName(name: unknown): void {
  // What CLIENT SETNAME takes.
  if (name === undefined || (typeof name === 'string' && /^[!-~]{1,256}$/.test(name))) return
  throw refused('name is not 1 to 256 ASCII letters, digits or signs, without spaces')
}

function checkTlsNames(given: unknown): void {
  if (given === undefined) return
  const names: object = typeof given === 'object' && given !== null ? given : {}
  const held = new Map<string, unknown>(Object.entries(names))
  const parts = Object.keys(ownNames)
  if (held.size === parts.length && parts.every((part) => typeof held.get(part) === 'string'))
    return
  throw refused(`tlsNames is no object with the names of ${parts.join(', ')}`)
}

function checkTlsOption(tls: unknown, { place }: ServerAddress, names = ownNames): void {
  if (tls === undefined) return
  if (typeof tls !== 'object' || tls === null) throw refused('tls is no object')
  checkTls(tls, names)
  if (place.kind !== 'tls') throw refused('tls is given, and url does not begin with rediss://')
}

function checkTracing(tracing: unknown): void {
  if (tracing === undefined) return
  if (typeof tracing === 'object' && tracing !== null && 'at' in tracing) return
  throw refused('tracing is not what tracing() of "millrace/otel" returns')
}

function refused(state: string): TypeError {
  return new TypeError(`Cannot connect: ${state}`)
}
