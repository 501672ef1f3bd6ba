/** The scripts about a group as a whole, and the names in it: creation, definition, pauses, removal. */
import { MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { groupFailure, scriptFailure } from './script-failure.ts'

const createGroupScript = script('create-group')
const defineScript = script('define')
const pauseScript = script('pause')
const removeConsumerScript = script('remove-consumer')

export type Creation =
  | { readonly kind: 'created' | 'exists' }
  /** A ledger is there, but no group; nothing was changed. `top`: the greatest id that was settled. */
  | { readonly kind: 'lost'; readonly applied: number; readonly top: string }

/**
 * Creates a group, and the stream if it does not exist, and begins the ledger.
 * @param what.from id after which delivery begins, or `$`
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION; REFUSED when `from` is no id.
 */
export async function createGroup(
  connection: Sender,
  { stream, ledger, deadLetters }: GroupKeys,
  what: { readonly group: string; readonly from: string },
): Promise<Creation> {
  const { group, from } = what
  const keys = [stream, ledger, deadLetters]
  const reply = await runScript(connection, createGroupScript, keys, [group, from])
  const action = `Cannot create group "${group}" on "${stream}"`
  const [kind, applied, top] = checked(reply, (code) => {
    if (code !== 'wrong-id') return scriptFailure(action, code)
    const remedy = 'Begin at 0, at $, or at an id of the stream'
    return new MillraceError('REFUSED', { action, state: `"${from}" is no entry id`, remedy })
  })
  if (kind === 'lost') return { kind, applied: Number(applied), top: String(top) }
  return { kind: kind === 'created' ? 'created' : 'exists' }
}

/**
 * Notes by what definition entries are folded, unless one stands there.
 * @returns the digest that holds.
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
 */
export async function define(
  connection: Sender,
  { stream, ledger }: Pick<GroupKeys, 'stream' | 'ledger'>,
  what: { readonly group: string; readonly digest: string },
): Promise<string> {
  const reply = await runScript(connection, defineScript, [ledger], [what.digest])
  const failure = (code: string) => groupFailure(code, { stream, group: what.group })
  return String(checked(reply, failure)[1])
}

export type PauseAnswer =
  | {
      /** `already`: that pause stays. */
      readonly kind: 'paused' | 'already'
      /** In milliseconds of the server's clock. */
      readonly since: number
      /** Who made it, as JSON; empty when that was not noted. */
      readonly by: string
    }
  /** There is no consumer of that name. */
  | { readonly kind: 'missing' }

/** Which group, and which of its consumers; an empty one: the group as a whole. */
interface Pausable {
  readonly group: string
  readonly consumer: string
}

/** Pauses a group or one of its consumers. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION. */
export async function pause(
  connection: Sender,
  { stream, leases, holders }: GroupKeys,
  what: Pausable & {
    /** Who pauses, as JSON. */
    readonly by: string
    /** Also a consumer that is neither known nor has a lease. */
    readonly future: boolean
  },
): Promise<PauseAnswer> {
  const { group, consumer, by, future } = what
  const reply = await runScript(
    connection,
    pauseScript,
    [stream, leases, holders],
    ['pause', group, consumer, by, future ? 'yes' : 'no'],
  )
  const failure = (code: string) => groupFailure(code, { stream, group })
  const [kind, since, json] = checked(reply, failure)
  if (kind === 'missing') return { kind }
  return { kind: kind === 'paused' ? kind : 'already', since: Number(since), by: String(json) }
}

/** Ends a pause. @returns false when there was none. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION. */
export async function resume(
  connection: Sender,
  { stream, leases, holders }: GroupKeys,
  { group, consumer }: Pausable,
): Promise<boolean> {
  const args = ['resume', group, consumer]
  const reply = await runScript(connection, pauseScript, [stream, leases, holders], args)
  return checked(reply, (code) => groupFailure(code, { stream, group }))[0] === 'resumed'
}

export type RemovalStep =
  /** `moved`: some entries are left. */
  | { readonly kind: 'removed' | 'moved'; readonly moved: number }
  /** Its lease runs. `holder`: JSON. */
  | { readonly kind: 'alive'; readonly leftMs: number; readonly holder: string }
  | { readonly kind: 'missing' }

/**
 * A step of the removal of a consumer: moves entries to a parking one, and deletes it once it is empty.
 * @throws {MillraceError} NO_GROUP, GROUP_MOVED, WRONG_TYPE, AUTHENTICATION.
 */
export async function removeConsumer(
  connection: Sender,
  { stream, leases, holders, deadLetters, ledger }: GroupKeys,
  what: {
    readonly group: string
    readonly consumer: string
    readonly parkingName: string
    /** Entries to move. */
    readonly most: number
    /** What they are idle for then, in milliseconds. */
    readonly idleMs: number
  },
): Promise<RemovalStep> {
  const { group, consumer, parkingName, most, idleMs } = what
  const reply = await runScript(
    connection,
    removeConsumerScript,
    [stream, leases, holders, deadLetters, ledger],
    [group, consumer, parkingName, String(most), String(idleMs)],
  )
  const failure = (code: string) => groupFailure(code, { stream, group })
  const [kind, value, json] = checked(reply, failure)
  if (kind === 'missing') return { kind }
  if (kind === 'alive') return { kind, leftMs: Number(value), holder: String(json) }
  return { kind: kind === 'removed' ? kind : 'moved', moved: Number(value) }
}
