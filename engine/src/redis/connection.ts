/**
 * One connection to Redis that heals itself. Promise: a command is sent at most once, and its promise always settles:
 * with the reply, or with an error that says whether it was sent.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isIP } from 'node:net'
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import { createClient, type RedisClientOptions } from 'redis'
import { backoffMs } from '../backoff.ts'
import { MillraceError } from '../errors.ts'
import { connectFailure } from './connect-failure.ts'
import { fromClientError, isDeclined } from './error-replies.ts'
import type { ServerAddress } from './server-address.ts'
import type { TlsOptions } from './tls-options.ts'

/** A reply in RESP2 shapes: maps are flat arrays. */
export type Reply = string | number | null | Reply[]

export interface ConnectionOptions {
  readonly address: ServerAddress
  /** For an address of TLS. */
  readonly tls?: TlsOptions | undefined
  /** Shown by CLIENT LIST. */
  readonly name: string
  /** A connection for blocking reads: each has a deadline of its own, so no pings (they would wait behind the read). */
  readonly isBlocking?: boolean
  /** Called once each time the connection is lost. */
  readonly onDisconnect?: ((error: MillraceError) => void) | undefined
  /** Called when it is there again. */
  readonly onReconnect?: (() => void) | undefined
}

/** The part of the node-redis client that we use. */
interface Client {
  connect(): Promise<unknown>
  destroy(): void
  close(): Promise<void>
  sendCommand(args: readonly string[]): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** How long an attempt to connect may take, in milliseconds. */
export const connectTimeoutMs = 5000
const pingEveryMs = 2000
const silentMaxMs = 6000
const noAnswer = `no answer came within ${connectTimeoutMs / 1000} s`

export class Connection {
  readonly #options: ConnectionOptions
  #client: Client | undefined
  #generation = 0
  #isClosed = false
  #pings: NodeJS.Timeout | undefined
  #answeredAt = -Infinity

  private constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /**
   * Connects once; afterwards the connection reconnects by itself until it is closed.
   * @throws {MillraceError} UNREACHABLE, AUTHENTICATION; the message shows the URL without its password.
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options)
    await connection.#connect()
    return connection
  }

  /**
   * A second connection to the same server.
   * @throws {MillraceError} UNREACHABLE. A refused password too: it was right for this connection, so it is being
   *   changed, which passes like any other outage.
   */
  async duplicate(options: Omit<ConnectionOptions, 'address' | 'tls'>): Promise<Connection> {
    const { address, tls } = this.#options
    try {
      return await Connection.open({ ...options, address, tls })
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'AUTHENTICATION') throw error
      throw new MillraceError('UNREACHABLE', error.message, { cause: error })
    }
  }

  get isReady(): boolean {
    return this.#client !== undefined
  }

  /** Another number after each reconnect: what WAIT says is about the commands of one connection. */
  get generation(): number {
    return this.#generation
  }

  /**
   * Sends one command; commands of the same tick share one write.
   * @param deadlineMs without a reply for so long, the connection is given up; the outcome is unknown then.
   * @throws {MillraceError} UNREACHABLE at once when there is no connection: nothing is queued.
   */
  async send(args: readonly string[], deadlineMs?: number): Promise<Reply> {
    const client = this.#client
    if (client === undefined) {
      throw new MillraceError('UNREACHABLE', `Not sent: no connection to ${this.shownUrl}`)
    }
    // No ping watches over a blocking connection.
    const limitMs = deadlineMs ?? (this.#options.isBlocking === true ? silentMaxMs : undefined)
    const timer =
      limitMs === undefined ? undefined : setTimeout(() => this.#fellSilent(client), limitMs)
    try {
      const reply = (await client.sendCommand(args)) as Reply
      this.#answeredAt = performance.now()
      return reply
    } catch (error) {
      throw fromClientError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Waits for commands in flight, up to one second, then closes for good. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#pings)
    const client = this.#client
    this.#client = undefined
    if (client === undefined) return
    // Closing what is broken already is no failure; and a socket that breaks meanwhile settles nothing.
    const closed = client.close().catch(() => undefined)
    const hurry = new AbortController()
    await Promise.race([closed, delay(1000, undefined, hurry).catch(() => undefined)])
    hurry.abort()
    discard(client)
  }

  /** Closes at once; commands in flight reject with an unknown outcome. */
  destroy(): void {
    this.#isClosed = true
    clearInterval(this.#pings)
    const client = this.#client
    this.#client = undefined
    if (client !== undefined) discard(client)
  }

  /** The URL without its password. */
  get shownUrl(): string {
    return this.#options.address.shown
  }

  async #connect(): Promise<void> {
    const client = this.#newClient()
    // The client itself has no limit on its handshake, and a frozen server accepts but never answers.
    const late = new AbortController()
    const hurry = setTimeout(() => {
      late.abort()
      discard(client)
    }, connectTimeoutMs)
    try {
      await client.connect()
      await giveName(client, this.#options.name)
      if (this.#isClosed) throw new MillraceError('UNREACHABLE', 'The connection is closed')
    } catch (error) {
      discard(client)
      throw this.cannotConnect(
        late.signal.aborted ? new MillraceError('UNREACHABLE', noAnswer) : error,
      )
    } finally {
      clearTimeout(hurry)
    }
    this.#client = client
    this.#generation += 1
    if (this.#options.isBlocking === true) return
    this.#pings = setInterval(() => this.#ping(client), pingEveryMs).unref()
  }

  #newClient(): Client {
    const { address, tls } = this.#options
    const client = createClient({
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
    }) as unknown as Client
    client.on('error', (error) => this.#lost(client, error))
    return client
  }

  /** Bounds the time of every command: a silent connection is given up, and its commands reject. */
  #ping(client: Client): void {
    if (performance.now() < this.#answeredAt + pingEveryMs) return
    const silent = setTimeout(() => this.#fellSilent(client), silentMaxMs).unref()
    client
      .sendCommand(['PING'])
      .catch(() => undefined) // A lost connection is reported by its error event.
      .finally(() => clearTimeout(silent))
  }

  #fellSilent(client: Client): void {
    this.#lost(client, new MillraceError('TIMEOUT', `${this.shownUrl} fell silent`))
  }

  #lost(client: Client, error: Error): void {
    if (this.#client !== client) return
    this.#client = undefined
    clearInterval(this.#pings)
    discard(client)
    if (this.#isClosed) return
    void this.#reconnect()
    this.#options.onDisconnect?.(fromClientError(error))
  }

  async #reconnect(): Promise<void> {
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      await delay(backoffMs(attempt, { firstMs: 20, mostMs: 2000 }))
      try {
        await this.#connect()
        this.#options.onReconnect?.()
        return
      } catch (error) {
        // Any reason may pass, a wrong password too (a rotation); onDisconnect has told of the loss.
        if (!(error instanceof MillraceError)) throw error
      }
    }
  }

  /** What a failure to connect is told as: no outcome is unknown then. */
  cannotConnect(error: unknown): MillraceError {
    const { address, tls } = this.#options
    return connectFailure(error, { address, hasCertificate: tls?.cert !== undefined })
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

function discard(client: Client): void {
  try {
    client.destroy()
  } catch {
    // It is closed already: that is what was asked for.
  }
}
