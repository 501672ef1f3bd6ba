/**
 * The scripts by which entries take effect: the two gates of batches that were folded here, and the drain that folds in the
 * server. Each is compiled for the projections of a declaration.
 */
import type { GroupKeys } from '../redis/keys.ts'
import { asList, textsOf } from '../redis/replies.ts'
import type { Reply } from '../redis/connection.ts'
import { deadEntriesIn, letterOf, type DeadEntry } from './dead-letters.ts'
import { checked, runScript, script, type Script, type Sender } from './run-script.ts'
import { groupFailure, type StreamAndGroup } from './script-failure.ts'

/** Why a hash cannot take an entry. */
export interface Refusal {
  readonly code: string
  /** Field of the hash; empty where it is about the whole key. */
  readonly field: string
}

/** What a gate answered. Only `applied` has changed anything. */
export type GateAnswer =
  | {
      readonly kind: 'applied'
      /** When the call began, on the server's clock (µs); 0 without the right to TIME. */
      readonly began: number
    }
  /** The lease is not this process's. */
  | { readonly kind: 'superseded' }
  /** Some ids are not pending for this consumer any more; `still` are. */
  | { readonly kind: 'gone'; readonly still: ReadonlySet<string> }
  /** The position of the reader is another one. */
  | { readonly kind: 'moved'; readonly position: string }
  /** By the key of the hash. */
  | { readonly kind: 'refused'; readonly refusals: ReadonlyMap<string, Refusal> }

/** What a batch does, folded. */
export interface FoldedEffects {
  /** Keys of the hashes, those of the first projection first. */
  readonly keys: readonly string[]
  /** For each projection the rows of its keys, in their order. */
  readonly rows: readonly (readonly unknown[])[]
  readonly dead: readonly DeadEntry[]
}

/** The gates for some projections. */
export class GateScripts {
  readonly #acknowledgeAndApply: Script
  readonly #advanceAndApply: Script
  readonly #rankingKeys: readonly string[]

  /** @param projections what they are compiled to, and the keys of their rankings */
  constructor(projections: { readonly plans: string; readonly rankingKeys: readonly string[] }) {
    const compiled = { plans: projections.plans }
    this.#acknowledgeAndApply = script('acknowledge-and-apply', compiled)
    this.#advanceAndApply = script('advance-and-apply', compiled)
    this.#rankingKeys = projections.rankingKeys
  }

  /** Acknowledges and applies a batch of a consumer. @throws {MillraceError} NO_GROUP, GROUP_MOVED, WRONG_TYPE, AUTHENTICATION. */
  async acknowledgeAndApply(
    connection: Sender,
    { stream, deadLetters, holders, ledger, attempts }: GroupKeys,
    what: {
      readonly group: string
      readonly consumer: string
      /** Of the lease; empty: nobody asks whose name it is. */
      readonly token: string
      /** Of all entries, ascending. */
      readonly ids: readonly string[]
      /** Fields of the attempts that are forgotten. */
      readonly again: readonly string[]
      readonly effects: FoldedEffects
    },
  ): Promise<GateAnswer> {
    const { group, consumer, token, ids, again, effects } = what
    const { keys, rows } = effects
    const batch = JSON.stringify({ ids, dead: effects.dead.map(letterOf), rows, again })
    const reply = await runScript(
      connection,
      this.#acknowledgeAndApply,
      [stream, deadLetters, holders, ledger, attempts, ...keys, ...this.#rankingKeys],
      [group, consumer, batch, token],
    )
    return answerOf(reply, keys, { stream, group })
  }

  /** Moves a reader's position and applies a batch. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION. */
  async advanceAndApply(
    connection: Sender,
    { stream, deadLetters, position, ledger }: GroupKeys & { readonly position: string },
    what: {
      readonly reader: string
      /** The position before, empty when there was none, and after. */
      readonly from: string
      readonly to: string
      /** Entries in the batch. */
      readonly count: number
      readonly effects: FoldedEffects
    },
  ): Promise<GateAnswer> {
    const { reader, from, to, count, effects } = what
    const { keys, rows } = effects
    const batch = JSON.stringify({ count, dead: effects.dead.map(letterOf), rows })
    const reply = await runScript(
      connection,
      this.#advanceAndApply,
      [stream, deadLetters, position, ledger, ...keys, ...this.#rankingKeys],
      [reader, from, to, batch],
    )
    return answerOf(reply, keys, { stream, group: reader })
  }
}

function answerOf(reply: Reply[], keys: readonly string[], where: StreamAndGroup): GateAnswer {
  const [first, rest = ''] = checked(reply, (code) => groupFailure(code, where))
  const kind = String(first)
  switch (kind) {
    case 'applied':
      return { kind, began: Number(rest) }
    case 'superseded':
      return { kind }
    case 'gone':
      return { kind, still: new Set(textsOf(rest)) }
    case 'moved':
      return { kind, position: String(rest) }
    case 'refused':
      return { kind, refusals: refusalsIn(asList(rest), keys) }
    default:
      throw groupFailure(kind, where)
  }
}

/** Position of the row, code and field in turn. */
function refusalsIn(flat: readonly Reply[], keys: readonly string[]): Map<string, Refusal> {
  const refusals = new Map<string, Refusal>()
  for (let at = 0; at < flat.length; at += 3) {
    const refusal = { code: String(flat[at + 1]), field: String(flat[at + 2]) }
    refusals.set(keys[Number(flat[at])] ?? '', refusal)
  }
  return refusals
}

export type Drained =
  | {
      readonly kind: 'drained'
      /** Entries that left the backlog; those that were not applied are dead letters. */
      readonly taken: number
      readonly applied: number
      readonly firstId: string
      readonly lastId: string
      /** More entries may be undelivered. */
      readonly hasMore: boolean
      readonly deadLetters: readonly DeadEntry[]
      /** When the call began, on the server's clock (µs); 0 without the right to TIME. */
      readonly began: number
      /** Of all entries that were read, from some of them. */
      readonly bytes: number
    }
  /** Nothing is undelivered behind this id. */
  | { readonly kind: 'empty'; readonly lastId: string }
  /** The lease is not this process's. Nothing was written. */
  | { readonly kind: 'superseded' }
  /** Two projections meet in this key. Nothing was written. */
  | { readonly kind: 'meeting'; readonly key: string }

/** The drain for a stream and some projections. */
export class DrainScript {
  readonly #script: Script
  readonly #rankingKeys: readonly string[]

  /** @param compiled what stands in front of `lua/push-down.lua`, by the names that it includes */
  constructor(
    compiled: Readonly<Record<'fold' | 'plans' | 'constants', string>>,
    rankingKeys: readonly string[],
  ) {
    this.#script = script('push-down', compiled)
    this.#rankingKeys = rankingKeys
  }

  /** Drains a part of what is undelivered. @throws {MillraceError} NO_GROUP, GROUP_MOVED, WRONG_TYPE, AUTHENTICATION. */
  async drain(
    connection: Sender,
    { stream, deadLetters, holders, ledger, attempts }: GroupKeys,
    what: {
      readonly group: string
      readonly consumer: string
      /** Of the lease; empty: nobody asks whose name it is. */
      readonly token: string
      readonly entriesMax: number
      /** But for one entry that is larger. */
      readonly bytesMax: number
      /** Entries to read at first. */
      readonly firstRead: number
    },
  ): Promise<Drained> {
    const { group, consumer, token, entriesMax, bytesMax, firstRead } = what
    const reply = await runScript(
      connection,
      this.#script,
      [stream, deadLetters, holders, ledger, attempts, ...this.#rankingKeys],
      [group, consumer, token, String(entriesMax), String(bytesMax), String(firstRead)],
    )
    return drainedOf(reply, { stream, group })
  }
}

function drainedOf(reply: Reply[], where: StreamAndGroup): Drained {
  const [said, first, applied, lastId, more, letters, began, bytes, firstId] = checked(
    reply,
    (code) => groupFailure(code, where),
  )
  const kind = String(said)
  switch (kind) {
    case 'drained':
      return {
        kind,
        taken: Number(first),
        applied: Number(applied),
        firstId: String(firstId),
        lastId: String(lastId),
        hasMore: more === 1,
        deadLetters: deadEntriesIn(textsOf(letters)),
        began: Number(began),
        bytes: Number(bytes),
      }
    case 'empty':
      return { kind, lastId: String(first) }
    case 'superseded':
      return { kind }
    case 'meeting':
      return { kind, key: String(first) }
    default:
      throw groupFailure(kind, where)
  }
}
