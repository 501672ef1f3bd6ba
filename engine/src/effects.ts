/** Sends combined effects to the scripts that gate them, and reads what these answer. The seam to `lua/effects.lua`. */
import { combine } from './combine.ts'
import { MillraceError, missingGroup, movedBack } from './errors.ts'
import type { GroupKeys } from './keys.ts'
import type { Choice, Plan } from './plan.ts'
import type { Connection, Reply } from './redis/connection.ts'
import { asList, runScript, scripts } from './redis/scripts.ts'
import type { Entry } from './stream.ts'

/** What is known about an entry besides. */
interface Known {
  /** It was delivered before, so attempts at it may have failed. */
  readonly isAgain?: boolean
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
 * handler (`handler`), or a body that was trimmed or deleted before it was processed (`lost`).
 */
export type DeadLetterReason = 'undecodable' | 'refused' | 'handler' | 'lost'

/** What a gate answered. Only `applied` has changed anything. */
export type Answer =
  | { readonly kind: 'applied' }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'gone'; readonly still: ReadonlySet<string> }
  | { readonly kind: 'moved'; readonly position: string }
  | { readonly kind: 'refused'; readonly codes: ReadonlyMap<string, string> }

export class Gate {
  readonly #connection: Connection
  readonly #plans: readonly Plan[]
  readonly #planJson: string

  constructor(connection: Connection, plans: readonly Plan[]) {
    this.#connection = connection
    this.#plans = plans
    this.#planJson = JSON.stringify(plans.map(luaPlan))
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
    const again = settled.flatMap(({ id, isAgain = false }) => (isAgain ? [id] : []))
    const reply = await runScript(
      this.#connection,
      scripts.acknowledgeAndApply,
      [keys.stream, keys.deadLetters, keys.holders, keys.ledger, keys.attempts, ...effects.keys],
      [
        who.group,
        who.consumer,
        this.#planJson,
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
      scripts.advanceAndApply,
      [keys.stream, keys.deadLetters, keys.position, keys.ledger, ...effects.keys],
      [
        move.reader,
        move.from,
        move.to,
        this.#planJson,
        JSON.stringify({ count: settled.length, dead, rows: effects.rows }),
      ],
    )
    return answerOf(reply, effects.keys, { stream: keys.stream, group: move.reader })
  }

  /** The keys of the hashes that an entry touches. */
  keysOf(entry: Entry): string[] {
    return this.#plans.map((plan) => plan.keyOf(entry.values))
  }

  #batch(settled: readonly Settled[]): { effects: ReturnType<typeof combine>; dead: unknown[][] } {
    const entries: Entry[] = []
    const dead: unknown[][] = []
    for (const item of settled) {
      if (item.kind === 'apply') entries.push(item.entry)
      else dead.push(letterOf(item))
    }
    return { effects: combine(this.#plans, entries), dead }
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
      const codes = new Map<string, string>()
      for (let at = 0; at < flat.length; at += 2) {
        codes.set(keys[Number(flat[at])] ?? '', String(flat[at + 1]))
      }
      return { kind, codes }
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
  if (code === 'no-permission') {
    return new MillraceError(
      'AUTHENTICATION',
      `Cannot process entries of stream "${stream}" for "${group}": the user lacks a right that the scripts need ` +
        '(they are listed in docs/operations.md, "Rights"). Grant them',
    )
  }
  return new MillraceError(
    'WRONG_TYPE',
    `Cannot process entries of stream "${stream}" for "${group}": the stream, its dead-letter stream, its leases, ` +
      'its ledger or the position is a key of another type. Move that key away or use another one',
  )
}

function letterOf(item: Extract<Settled, { kind: 'dead-letter' }>): unknown[] {
  const letter = [item.id, item.reason, printable(item.error)]
  return item.attempts === undefined ? letter : [...letter, item.attempts]
}

const errorLengthMax = 1000

/** An error's text as a script can take it: JSON in Lua refuses lone surrogates. */
function printable(error: string): string {
  return error.slice(0, errorLengthMax).replace(/\p{Surrogate}/gu, '\uFFFD')
}

/** The plan as `lua/effects.lua` states it; positions count from 1 there. */
function luaPlan(plan: Plan): unknown {
  const fetch = [...plan.counters, ...plan.extremes].map(({ field }) => field)
  const choices = plan.choices.map((choice) => luaChoice(choice, fetch))
  return {
    fetch,
    counters: plan.counters.map(({ field, isAveraged }) => [field, isAveraged]),
    extremes: plan.extremes.map(({ field, kind }) => [field, kind]),
    choices,
    averages: plan.averages.map(({ field, sumAt, countAt }) => [field, sumAt + 1, countAt + 1]),
  }
}

/** Adds what the choice needs to know to the fields that are fetched. */
function luaChoice(choice: Choice, fetch: string[]): unknown {
  fetch.push(choice.idField)
  const idAt = fetch.length
  const fields = choice.fields.map(({ field }) => field)
  // A loaded hash loses to any later entry, so `latest` needs only the time; `first` must see whether one was loaded.
  const wanted = choice.kind === 'first' ? fields : fields.filter((_, at) => at === choice.timeAt)
  fetch.push(...wanted)
  const timeAt = choice.timeAt < 0 ? -1 : choice.kind === 'first' ? choice.timeAt : 0
  return {
    kind: choice.kind,
    id_field: choice.idField,
    fields,
    id_at: idAt,
    time_at: timeAt < 0 ? 0 : idAt + 1 + timeAt,
    loaded_from: idAt + 1,
    loaded_to: choice.kind === 'first' ? idAt + wanted.length : idAt,
  }
}
