/** The node-redis client as we use it. */
import { isIP } from 'node:net'
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient, type RedisClientOptions } from 'redis'
import { MillraceError } from '../support/errors.ts'
import { fromClientError, isDeclined } from './error-replies.ts'
import type { ServerAddress } from './server-address.ts'
import type { TlsOptions } from './tls-options.ts'

/** The part of the node-redis client that we use. */
export interface Client {
  connect(): Promise<unknown>
  destroy(): void
  close(): Promise<void>
  sendCommand(args: readonly string[]): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** How long an attempt to connect may take, in milliseconds. */
export const connectTimeoutMs = 5000

/** A client that is not connected yet, and never connects again by itself. */
export function newClient({
  address,
  tls,
}: {
  readonly address: ServerAddress
  readonly tls: TlsOptions | undefined
}): Client {
  return createClient({
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password }),
    database: address.database,
    RESP: 2,
    // It is for RESP 3, and would look up the host's name.
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    // Its default builds an AbortSignal per command: a fifth of the append rate is left.
    commandOptions: { timeout: undefined as unknown as number },
    // We reconnect ourselves: the client cannot drop a silent socket and go on.
    socket: {
      ...socketOf(address, tls),
      reconnectStrategy: false,
      connectTimeout: connectTimeoutMs,
    },
  })
}

/** The socket that the client opens. */
function socketOf(
  { place }: ServerAddress,
  tls: TlsOptions = {},
): NonNullable<RedisClientOptions['socket']> {
  if (place.kind === 'unix') return { path: place.path, tls: false }
  const { host, port } = place
  if (place.kind === 'tcp') return { host, port }
  // A server of many names chooses its certificate by this one. An address is no such name.
  const servername = tls.servername ?? (isIP(host) === 0 ? host : undefined)
  return { host, port, ...(tls as TlsConnectionOptions), servername, tls: true }
}

/**
 * Connects, and says what CLIENT LIST shall show. The client itself has no limit on its handshake, and a frozen server accepts but
 * never answers.
 * @throws what the client throws; {MillraceError} TIMEOUT after {@link connectTimeoutMs}.
 */
export async function connectInTime(client: Client, name: string): Promise<void> {
  const late = new AbortController()
  const hurry = setTimeout(() => {
    late.abort()
    discard(client)
  }, connectTimeoutMs)
  try {
    await client.connect()
    await giveName(client, name)
  } catch (error) {
    if (!late.signal.aborted) throw error
    throw new MillraceError('TIMEOUT', `no answer in ${connectTimeoutMs} ms`)
  } finally {
    clearTimeout(hurry)
  }
}

/** Optional: only CLIENT LIST shows it. Not in the client's handshake, which fails as a whole. */
async function giveName(client: Client, name: string): Promise<void> {
  try {
    await client.sendCommand(['CLIENT', 'SETNAME', name])
  } catch (error) {
    if (!isDeclined(fromClientError(error))) throw error
  }
}

/** Waits for commands in flight, up to one second, then discards the client. */
export async function retire(client: Client): Promise<void> {
  // Closing what is broken already is no failure; and a socket that breaks meanwhile settles nothing.
  const closed = client.close().catch(() => undefined)
  const hurry = new AbortController()
  await Promise.race([closed, delay(1000, undefined, hurry).catch(() => undefined)])
  hurry.abort()
  discard(client)
}

/** Closes at once, where there is one; commands in flight reject. */
export function discard(client: Client | undefined): void {
  try {
    client?.destroy()
  } catch {
    // It is closed already: that is what was asked for.
  }
}
