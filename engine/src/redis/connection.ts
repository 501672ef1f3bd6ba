/**
 * One connection to Redis that heals itself, and its duplicates for blocking reads. Promise: a command is sent at most
 * once, and its promise always settles: with the reply, or with an error that says whether it was sent. Duplicates are at
 * the same server as the connection they were made from, or gone.
 * Guards:
 *   closed: what was closed while it connected is closed for good
 */
import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs } from '../support/backoff.ts'
import { MillraceError } from '../support/errors.ts'
import { connectInTime, discard, newClient, retire, type Client } from './client.ts'
import type { ConnectionOptions } from './connect.ts'
import { asPassing, connectFailure } from './connect-failure.ts'
import { fromClientError, unencoded } from './error-replies.ts'
import { Refusals, type Question } from './refusals.ts'
import { ServerIdentity } from './server-info.ts'
import { SilenceWatch } from './silence.ts'

/** A reply in RESP2 shapes: maps are flat arrays. */
export type Reply = string | number | null | Reply[]

export class Connection {
  readonly #options: ConnectionOptions
  readonly #parent: Connection | undefined
  readonly #refusals: Refusals
  readonly #duplicates = new Set<Connection>()
  readonly #server: ServerIdentity
  readonly #silence: SilenceWatch
  #client: Client | undefined
  #connecting: Client | undefined
  readonly #losses = new WeakMap<Client, Error>()
  #generation = 0
  #isClosed = false

  private constructor(options: ConnectionOptions, parent?: Connection) {
    this.#options = options
    this.#parent = parent
    const parts = {
      send: (args: readonly string[]) => this.send(args),
      exchange: () => this.#exchange(),
    }
    this.#refusals =
      parent === undefined ? new Refusals({ ...options, ...parts }) : parent.#refusals
    this.#server = new ServerIdentity(parts.send)
    const fellSilent = (client: Client) =>
      this.#lost(client, new MillraceError('TIMEOUT', `${this.shownUrl} fell silent`))
    this.#silence = new SilenceWatch(fellSilent, { isPinging: options.isBlocking !== true })
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
   * A second connection to the same server, for blocking reads. It ends, and does not come back, when it breaks or this
   * connection does: what it takes at one server must not be settled at another.
   * @throws {MillraceError} UNREACHABLE. A refused password too: it was right for this connection, so it is being
   *   changed, which passes like any other outage. READ_ONLY, SERVER_BUSY while work is refused: at once.
   */
  async duplicate(options: Pick<ConnectionOptions, 'name'>): Promise<Connection> {
    if (this.refusal !== undefined) throw this.refusal
    const client = this.#client
    if (client === undefined) throw this.#unsent()
    const { address, tls, tlsNames } = this.#options
    const parts = { ...options, address, tls, tlsNames, isBlocking: true }
    const duplicate = new Connection(parts, this)
    try {
      await duplicate.#connect()
      if (await this.#server.isElsewhere(duplicate.#server)) throw this.#strayed()
      // While this was going on, our own connection may have become another one.
      if (this.#client !== client) throw this.#unsent()
    } catch (error) {
      duplicate.destroy()
      throw asPassing(error as Error)
    }
    this.#duplicates.add(duplicate)
    return duplicate
  }

  get isReady(): boolean {
    return this.#client !== undefined
  }

  /** Why the server refuses all work, when it has for more than a moment. */
  get refusal(): MillraceError | undefined {
    return this.#refusals.current
  }

  /** As {@link Refusals.ask}. */
  async checkWritable(options?: Question): Promise<void> {
    await this.#refusals.ask(options)
  }

  /** Another number after each reconnect: what WAIT says is about the commands of one connection. */
  get generation(): number {
    return this.#generation
  }

  /**
   * Sends one command; commands of the same tick share one write.
   * @param deadlineMs without a reply for so long, the connection is given up; the outcome is unknown then.
   * @throws {MillraceError} UNREACHABLE at once when there is no connection: nothing is queued. CLOSED when there will be none.
   *   {TypeError} for an argument that is no text.
   */
  async send(args: readonly string[], deadlineMs?: number): Promise<Reply> {
    const client = this.#client
    if (client === undefined) throw this.#unsent()
    const timer = this.#silence.deadline(client, deadlineMs)
    try {
      const reply = (await client.sendCommand(args)) as Reply
      this.#silence.answered()
      return reply
    } catch (error) {
      // The client could not encode an argument, or has a fault: trying again would fail for ever.
      if (error instanceof TypeError) throw unencoded(args, error)
      const known = fromClientError(error, this.#losses.get(client))
      // Of a connection that was exchanged meanwhile it is no news.
      if (client === this.#client) this.#refusals.met(known)
      throw known
    } finally {
      clearTimeout(timer)
    }
  }

  #unsent(): MillraceError {
    // The end of a duplicate alone passes: there will be another one.
    if ((this.#parent ?? this).#isClosed) {
      return new MillraceError('CLOSED', 'Not sent: the Millrace is closed')
    }
    return new MillraceError('UNREACHABLE', `Not sent: no connection to ${this.shownUrl}`)
  }

  /** Waits for commands in flight, up to one second, then closes for good. */
  async close(): Promise<void> {
    const client = this.#end()
    if (client !== undefined) await retire(client)
  }

  /** Closes at once; commands in flight reject with an unknown outcome. */
  destroy(): void {
    discard(this.#end())
  }

  #end(): Client | undefined {
    this.#isClosed = true
    if (this.#parent === undefined) this.#refusals.end()
    // A frozen server would keep the process from ending until the attempt is given up.
    discard(this.#connecting)
    return this.#leave()
  }

  /** Returns the client, which is no longer ours. */
  #leave(): Client | undefined {
    const client = this.#client
    this.#client = undefined
    this.#silence.end()
    if (this.#parent !== undefined) this.#parent.#duplicates.delete(this)
    for (const duplicate of this.#duplicates) duplicate.destroy()
    return client
  }

  /** The URL without its password. */
  get shownUrl(): string {
    return this.#options.address.shown
  }

  async #connect(): Promise<void> {
    const { address, tls, name } = this.#options
    const client = newClient({ address, tls })
    client.on('error', (error) => this.#lost(client, error))
    this.#connecting = client
    try {
      await connectInTime(client, name)
      if (this.#isClosed) throw new MillraceError('UNREACHABLE', 'The connection is closed')
    } catch (error) {
      discard(client)
      throw this.cannotConnect(error)
    }
    this.#connecting = undefined
    const before = this.#leave()
    if (before !== undefined) void retire(before)
    this.#client = client
    this.#server.forget()
    this.#generation += 1
    this.#silence.begin(client)
  }

  #lost(client: Client, error: Error): void {
    if (this.#client !== client) return
    this.#leave()
    this.#losses.set(client, error)
    discard(client)
    if (this.#isClosed || this.#parent !== undefined) return
    void this.#reconnect()
    this.#options.onDisconnect?.(fromClientError(error))
  }

  async #reconnect(): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      await delay(backoffMs(attempt, { firstMs: 20, mostMs: 2000 }))
      if (this.#isClosed) return
      if (await this.#isConnectedAnew()) break
    }
    this.#options.onReconnect?.()
    this.#refusals.connected()
  }

  /** The old connection stays when there is no new one, and finishes what is in flight when there is. */
  async #exchange(): Promise<void> {
    if (this.isReady) await this.#isConnectedAnew()
  }

  /** False: not now. Any reason may pass, a wrong password too (a rotation). */
  async #isConnectedAnew(): Promise<boolean> {
    try {
      await this.#connect()
      return true
    } catch (error) {
      if (error instanceof MillraceError) return false
      throw error
    }
  }

  /** After a failover behind one name, this connection may still be at the server that was the primary: it is made anew. */
  #strayed(): MillraceError {
    const error = new MillraceError('UNREACHABLE', `${this.shownUrl} leads to another server now`)
    if (this.#client !== undefined) this.#lost(this.#client, error)
    return error
  }

  /**
   * Identity of the server: another one after each of its starts, and at another server. Undefined where it does not tell.
   * @throws {MillraceError} UNREACHABLE, DISCONNECTED, TIMEOUT.
   */
  serverId(): Promise<string | undefined> {
    return this.#server.id()
  }

  /** What a failure to connect is told as: no outcome is unknown then. */
  cannotConnect(error: unknown): MillraceError {
    const { address, tls, tlsNames: names } = this.#options
    return connectFailure(error, { address, hasCertificate: tls?.cert !== undefined, names })
  }
}
