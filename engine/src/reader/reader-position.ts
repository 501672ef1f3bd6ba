/**
 * Where a reader stands in its stream: the id of the last applied entry, kept in a key of Redis. Promise: it moves together with the
 * effects of the entries up to it, from where this reader has left it and from nowhere else; so of two readers of one position only one
 * goes on, and after a failover a reader follows the position back with the effects.
 */
import { compareIds, isEntryId } from '../support/entry-id.ts'
import { MillraceError } from '../support/errors.ts'
import type { Gate } from '../apply/gate.ts'
import { readerKeys } from '../redis/keys.ts'
import { persist } from '../support/persist.ts'
import type { Connection } from '../redis/connection.ts'
import type { Settled } from '../apply/settled.ts'
import type { GateAnswer } from '../scripts/apply.ts'

export interface ReaderPositionParts {
  readonly connection: Connection
  readonly gate: Pick<Gate, 'advanceAndApply'>
  /** Key of the stream. */
  readonly stream: string
  /** Of the reader. */
  readonly name: string
  readonly positionKey: string
  /** Aborted: what passes is not tried again. */
  readonly signal: AbortSignal
}

export class ReaderPosition {
  readonly #parts: ReaderPositionParts
  /** Id of the last applied entry, empty before the first; undefined until it was asked. */
  #at: string | undefined
  #serverId: string | undefined

  constructor(parts: ReaderPositionParts) {
    this.#parts = parts
  }

  /** The id behind which entries are read; before the first one, and before the position was asked, `0-0`. */
  get from(): string {
    return this.#at === undefined || this.#at === '' ? '0-0' : this.#at
  }

  /**
   * Takes the position that is stored: at the start, and where a server has come back, or another one has taken over,
   * without the last moves: their effects are lost with them. Any other change is another reader's.
   * @returns true the first time.
   */
  async find(reading: Connection): Promise<boolean> {
    const serverId = await reading.serverId()
    const held = String((await reading.send(['GET', this.#parts.positionKey])) ?? '')
    const isFirst = this.#at === undefined
    if (isFirst || (this.#isOther(serverId) && isBehind(held, this.#at))) this.#at = held
    this.#serverId = serverId
    return isFirst
  }

  /**
   * Applies a batch and moves on to `to`, the id of its last entry; `refused`: nothing was applied.
   * @throws {MillraceError} POSITION_MOVED when another reader has moved it; DISCONNECTED when another server has taken over that lacks
   *   the last moves: then it is to be found again.
   */
  async advance(
    settled: readonly Settled[],
    to: string,
  ): Promise<Extract<GateAnswer, { kind: 'applied' | 'refused' }>> {
    const answer = await this.#ask(settled, to)
    if (answer.kind === 'refused') return answer
    if (answer.kind !== 'applied') throw await this.#moved(answer)
    this.#at = to
    return answer
  }

  async #ask(settled: readonly Settled[], to: string): Promise<GateAnswer> {
    const { gate, stream, name, positionKey, signal } = this.#parts
    const keys = { ...readerKeys(stream, name), position: positionKey }
    const move = { reader: name, from: this.#at ?? '', to }
    let attempts = 0
    const answer = await persist(signal, () => {
      attempts += 1
      return gate.advanceAndApply(keys, move, settled)
    })
    // The position is where this very call would have put it, and the reply to its first attempt was lost.
    const isOurs = attempts > 1 && answer.kind === 'moved' && answer.position === to
    return isOurs ? { kind: 'applied', began: 0 } : answer
  }

  /** Passing when a server has taken over that lacks the last moves: then it is read from its position on. */
  async #moved(answer: GateAnswer): Promise<MillraceError> {
    const { connection, name, positionKey, signal } = this.#parts
    const at = answer.kind === 'moved' ? answer.position : answer.kind
    const serverId = await persist(signal, () => connection.serverId())
    if (this.#isOther(serverId) && isBehind(at, this.#at)) {
      return new MillraceError('DISCONNECTED', 'Another server has taken over')
    }
    return new MillraceError('POSITION_MOVED', {
      action: `Cannot go on reading as "${name}"`,
      state: `position "${positionKey}" is "${at}", not "${this.#at ?? ''}": another reader moves it`,
      remedy: 'Run only one, or use a consumer group',
    })
  }

  /** Certainly another server than the one that we have read from, or another start of it. */
  #isOther(serverId: string | undefined): boolean {
    return ![undefined, this.#serverId].includes(serverId) && this.#serverId !== undefined
  }
}

function isBehind(held: string, position = ''): boolean {
  return isEntryId(position) && (held === '' || (isEntryId(held) && compareIds(held, position) < 0))
}
