/**
 * Waits until replicas have what was appended. Promise: one WAIT is under way at a time, and whoever comes meanwhile shares
 * the next one, so that the number of appends in flight does not matter.
 */
import { MillraceError } from '../support/errors.ts'
import type { Connection } from '../redis/connection.ts'

/** How long replicas may take (ms). The commands behind a WAIT wait with it. */
const timeoutMs = 1000

interface Round {
  readonly generation: number
  readonly replicas: number
}

export class ReplicaWait {
  readonly #connection: Pick<Connection, 'send' | 'generation'>
  #running: Promise<unknown> = Promise.resolve()
  /** Not sent yet: it may be joined. By the number of replicas. */
  readonly #coming = new Map<number, Promise<Round>>()

  constructor(connection: Pick<Connection, 'send' | 'generation'>) {
    this.#connection = connection
  }

  /**
   * Does something that writes, and waits until so many replicas have it.
   * @throws {MillraceError} NOT_REPLICATED: it is done, but too few have confirmed it in time. Otherwise what `write` throws.
   */
  async confirmed<Value>(replicas: number, write: () => Promise<Value>): Promise<Value> {
    const { generation } = this.#connection
    const value = await write()
    if (replicas <= 0) return value
    let round: Round
    try {
      round = await this.#join(replicas)
    } catch (cause) {
      throw tooFew(replicas, 'the connection was lost', cause)
    }
    // On another connection, WAIT knows nothing of what this one has written.
    if (round.generation !== generation) throw tooFew(replicas, 'the connection was lost')
    if (round.replicas < replicas) throw tooFew(replicas, `${round.replicas} have it`)
    return value
  }

  #join(replicas: number): Promise<Round> {
    const coming = this.#coming.get(replicas)
    if (coming !== undefined) return coming
    const round = this.#running.then(() => {
      this.#coming.delete(replicas)
      return this.#ask(replicas)
    })
    this.#coming.set(replicas, round)
    this.#running = round.catch(() => undefined)
    return round
  }

  async #ask(replicas: number): Promise<Round> {
    const { generation } = this.#connection
    const reply = await this.#connection.send(['WAIT', String(replicas), String(timeoutMs)])
    return { generation, replicas: Number(reply) }
  }
}

function tooFew(replicas: number, state: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'NOT_REPLICATED',
    {
      action: `Appended, but not confirmed by ${replicas} replicas within ${timeoutMs} ms`,
      state,
      remedy: 'To append it again without a twin takes an idempotency key. Look at the replicas',
    },
    { cause },
  )
}
