/**
 * Sends folded effects to the scripts that gate them, and reads what these answer. The seam to `lua/parts/effects.lua`.
 * Guards:
 *   token: sends the token of the lease, without which the gate does not ask whose name it is
 */
import { foldBatch } from './fold.ts'
import { compilePlans } from './compile-plan.ts'
import { printable, type Refusal } from './dead-letter.ts'
import { MillraceError, missingGroup, movedBack } from '../support/errors.ts'
import { aloneField, type GroupKeys } from '../redis/keys.ts'
import type { Plan } from '../declare/plan.ts'
import { rankingKeys } from '../declare/ranking.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { asList, runScript, script, type Script } from '../scripts/run-script.ts'
import { scriptFailure } from '../scripts/script-failure.ts'
import type { Entry } from '../declare/stream.ts'

/** What is known about an entry besides. */
interface Known {
  /** It was delivered before, so attempts at it may have failed. */
  readonly isAgain?: boolean
  /** Its handler has begun with it alone, or was not to begin any more: what is noted of that is settled, too. */
  readonly wasAlone?: boolean
}

/** An entry with what was decided about it. */
export type Settled =
  | ({ readonly kind: 'apply'; readonly id: string; readonly entry: Entry } & Known)
  | ({
      readonly kind: 'dead-letter'
      readonly id: string
      readonly reason: DeadLetterReason
      readonly error: string
      /** Failed attempts of a handler. */
      readonly attempts?: number
    } & Known)

/**
 * Why an entry became a dead letter: `undecodable` fields, a hash that cannot take it (`refused`), the decision of its
 * handler (`handler`), a body that was trimmed or deleted before it was processed (`lost`), or the loss of the group, after
 * which nobody knows whether the entry took effect (`unknown`).
 */
export const deadLetterReasons = ['undecodable', 'refused', 'handler', 'lost', 'unknown'] as const

export type DeadLetterReason = (typeof deadLetterReasons)[number]

/** What a gate answered. Only `applied` has changed anything. */
export type Answer =
  | { readonly kind: 'applied' }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'gone'; readonly still: ReadonlySet<string> }
  | { readonly kind: 'moved'; readonly position: string }
  | { readonly kind: 'refused'; readonly refusals: ReadonlyMap<string, Refusal> }

export class Gate {
  readonly #connection: Connection
  readonly #plans: readonly Plan[]
  readonly #acknowledgeAndApply: Script
  readonly #advanceAndApply: Script
  readonly #rankingKeys: readonly string[]

  constructor(connection: Connection, plans: readonly Plan[]) {
    this.#connection = connection
    this.#plans = plans
    this.#rankingKeys = rankingKeys(plans)
    const compiled = { plans: compilePlans(plans) }
    this.#acknowledgeAndApply = script('acknowledge-and-apply', compiled)
    this.#advanceAndApply = script('advance-and-apply', compiled)
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
  ): Promise<Answer> {
    const { effects, dead } = this.#batch(settled)
    const ids = settled.map(({ id }) => id)
    const again = settled.flatMap(({ id, isAgain = false, wasAlone = false }) => [
      ...(isAgain ? [id] : []),
      ...(wasAlone ? [aloneField(id)] : []),
    ])
    const reply = await runScript(
      this.#connection,
      this.#acknowledgeAndApply,
      [
        keys.stream,
        keys.deadLetters,
        keys.holders,
        keys.ledger,
        keys.attempts,
        ...effects.keys,
        ...this.#rankingKeys,
      ],
      [
        who.group,
        who.consumer,
        JSON.stringify({ ids, dead, rows: effects.rows, again }),
        who.token ?? '',
      ],
    )
    return answerOf(reply, effects.keys, { stream: keys.stream, group: who.group })
  }

  /** Moves a reader's position and applies a batch in one script. @throws {MillraceError} as above. */
  async advanceAndApply(
    keys: GroupKeys & { readonly position: string },
    move: { readonly reader: string; readonly from: string; readonly to: string },
    settled: readonly Settled[],
  ): Promise<Answer> {
    const { effects, dead } = this.#batch(settled)
    const reply = await runScript(
      this.#connection,
      this.#advanceAndApply,
      [
        keys.stream,
        keys.deadLetters,
        keys.position,
        keys.ledger,
        ...effects.keys,
        ...this.#rankingKeys,
      ],
      [
        move.reader,
        move.from,
        move.to,
        JSON.stringify({ count: settled.length, dead, rows: effects.rows }),
      ],
    )
    return answerOf(reply, effects.keys, { stream: keys.stream, group: move.reader })
  }

  /** The keys of the hashes that an entry touches. */
  keysOf(entry: Entry): string[] {
    return this.#plans.map((plan) => plan.keyOf(entry.values))
  }

  #batch(settled: readonly Settled[]): {
    effects: ReturnType<typeof foldBatch>
    dead: unknown[][]
  } {
    const entries: Entry[] = []
    const dead: unknown[][] = []
    for (const item of settled) {
      if (item.kind === 'apply') entries.push(item.entry)
      else dead.push(letterOf(item))
    }
    return { effects: foldBatch(this.#plans, entries), dead }
  }
}

function answerOf(reply: Reply[], keys: readonly string[], place: Place): Answer {
  const [kind, rest = ''] = reply
  switch (kind) {
    case 'applied':
    case 'superseded':
      return { kind }
    case 'gone':
      return { kind, still: new Set(asList(rest).map(String)) }
    case 'moved':
      return { kind, position: String(rest) }
    case 'refused': {
      const flat = asList(rest)
      const refusals = new Map<string, Refusal>()
      for (let at = 0; at < flat.length; at += 3) {
        const refusal = { code: String(flat[at + 1]), field: String(flat[at + 2]) }
        refusals.set(keys[Number(flat[at])] ?? '', refusal)
      }
      return { kind, refusals }
    }
    default:
      throw problem(String(rest), place)
  }
}

/** Where a script worked; `group` is the reader's name where there is no group. */
export interface Place {
  readonly stream: string
  readonly group: string
}

/** The error for a code that a script returns. */
export function problem(code: string, { stream, group }: Place): MillraceError {
  if (code === 'no-group') return missingGroup(stream, group)
  if (code === 'moved-back') return movedBack(stream, group)
  const action = `Cannot process entries of stream "${stream}" for "${group}"`
  const known = scriptFailure(action, code)
  if (known !== undefined) return known
  if (code !== 'wrong-type') return new MillraceError('REFUSED', `${action}: ${code}`)
  return new MillraceError('WRONG_TYPE', {
    action,
    state: 'one of its keys is of another type',
    remedy: 'Look at their TYPE, and move that key away',
  })
}

function letterOf(item: Extract<Settled, { kind: 'dead-letter' }>): unknown[] {
  const letter = [item.id, item.reason, printable(item.error)]
  return item.attempts === undefined ? letter : [...letter, item.attempts]
}
