/**
 * Folds what was settled and sends it to the scripts that gate it.
 * Guards:
 *   token: sends the token of the lease, without which the gate does not ask whose name it is
 */
import { foldBatch } from './fold.ts'
import { compilePlans } from './compile-plan.ts'
import type { Settled } from './settled.ts'
import { aloneField, type GroupKeys } from '../redis/keys.ts'
import type { Plan } from '../declare/plan.ts'
import { rankingKeys } from '../declare/ranking.ts'
import type { Connection } from '../redis/connection.ts'
import { GateScripts, type FoldedEffects, type GateAnswer } from '../scripts/apply.ts'
import type { Entry } from '../declare/stream.ts'

export class Gate {
  readonly #connection: Connection
  readonly #plans: readonly Plan[]
  readonly #scripts: GateScripts

  constructor(connection: Connection, plans: readonly Plan[]) {
    this.#connection = connection
    this.#plans = plans
    const [compiled, rankings] = [compilePlans(plans), rankingKeys(plans)]
    this.#scripts = new GateScripts({ plans: compiled, rankingKeys: rankings })
  }

  /**
   * Acknowledges and applies a batch of a group's consumer in one script.
   * @throws {MillraceError} NO_GROUP, WRONG_TYPE, and whatever the connection throws: then the outcome may be unknown,
   *   and the same call again is safe.
   */
  async acknowledgeAndApply(
    keys: GroupKeys,
    who: { readonly group: string; readonly consumer: string; readonly token?: string },
    settled: readonly Settled[],
  ): Promise<GateAnswer> {
    const again = settled.flatMap(({ id, isRedelivery = false, wasAlone = false }) => [
      ...(isRedelivery ? [id] : []),
      ...(wasAlone ? [aloneField(id)] : []),
    ])
    return await this.#scripts.acknowledgeAndApply(this.#connection, keys, {
      group: who.group,
      consumer: who.consumer,
      token: who.token ?? '',
      ids: settled.map(({ id }) => id),
      again,
      effects: this.#effectsOf(settled),
    })
  }

  /** Moves a reader's position and applies a batch in one script. @throws {MillraceError} as above. */
  async advanceAndApply(
    keys: GroupKeys & { readonly position: string },
    move: { readonly reader: string; readonly from: string; readonly to: string },
    settled: readonly Settled[],
  ): Promise<GateAnswer> {
    return await this.#scripts.advanceAndApply(this.#connection, keys, {
      ...move,
      count: settled.length,
      effects: this.#effectsOf(settled),
    })
  }

  /** The keys of the hashes that an entry touches. */
  keysOf(entry: Entry): string[] {
    return this.#plans.map((plan) => plan.keyOf(entry.values))
  }

  #effectsOf(settled: readonly Settled[]): FoldedEffects {
    const entries: Entry[] = []
    const dead: Extract<Settled, { kind: 'dead-letter' }>[] = []
    for (const item of settled) {
      if (item.kind === 'apply') entries.push(item.entry)
      else dead.push(item)
    }
    return { ...foldBatch(this.#plans, entries), dead }
  }
}
