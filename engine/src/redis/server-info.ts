/** What INFO tells about a server: its version, and which server it is. */
import type { Connection } from './connection.ts'
import { isLoss } from './refusals.ts'

/** Connections in a row that meet another server. More, and servers have no identity there: a proxy spreads them. */
const strangersMax = 3

/**
 * The version in the reply of INFO when it is older than Redis 7.0, which lacks what the scripts need; undefined when it
 * is not. Valkey reports the Redis version that it is compatible with, 7.2.4, so it passes.
 */
export function tooOldVersion(info: string): string | undefined {
  const version = /^redis_version:((\d+)\.\S+)/m.exec(info)
  return version !== null && Number(version[2]) < 7 ? version[1] : undefined
}

/** Which server a connection is at. */
export class ServerIdentity {
  readonly #send: Connection['send']
  /** Asked when it is needed. */
  #id: Promise<string | undefined> | undefined
  #strangers = 0

  constructor(send: Connection['send']) {
    this.#send = send
  }

  /** The connection was made anew. */
  forget(): void {
    this.#id = undefined
  }

  /** Another one after each start of the server. Undefined where it does not tell. @throws {MillraceError} when it does not answer. */
  id(): Promise<string | undefined> {
    this.#id ??= this.#ask()
    return this.#id
  }

  /** Whether another connection is at another server; false where servers have no identity. @throws as {@link id}. */
  async isElsewhere(other: ServerIdentity): Promise<boolean> {
    const [own, its] = await Promise.all([this.id(), other.id()])
    if (own === undefined || its === undefined || own === its) {
      this.#strangers = 0
      return false
    }
    this.#strangers += 1
    return this.#strangers <= strangersMax
  }

  async #ask(): Promise<string | undefined> {
    try {
      const info = String(await this.#send(['INFO', 'server']))
      return /^run_id:(\S+)/m.exec(info)?.[1]
    } catch (error) {
      if (isLoss(error)) throw error
      return undefined
    }
  }
}
