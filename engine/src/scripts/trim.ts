/** The script that removes what nobody needs any more from the head of a stream. */
import { MillraceError } from '../support/errors.ts'
import { groupKeys, streamLedger } from '../redis/keys.ts'
import { asList } from '../redis/replies.ts'
import type { Reply } from '../redis/connection.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { scriptFailure } from './script-failure.ts'

const trimScript = script('trim')

/** Who holds the frontier: the entry with this id is the first that stays for it. */
export type FrontierHolder =
  | {
      /** It is pending there: delivered, not acknowledged. */
      readonly kind: 'pending'
      readonly group: string
      readonly id: string
      readonly consumer: string
      /** Since its last delivery or renewal. */
      readonly idleMs: number
      readonly deliveries: number
    }
  /** Nothing before it is pending; what comes after it is undelivered. */
  | { readonly kind: 'last-delivered'; readonly group: string; readonly id: string }
  /** It is not there any more; from the entry with this id on it is not certain what it had settled. Recover it. */
  | { readonly kind: 'lost'; readonly group: string; readonly id: string }
  /** After the entry with this id, or at it, entries were delivered that are neither pending nor settled. Recover the group. */
  | { readonly kind: 'unaccounted'; readonly group: string; readonly id: string }
  /** A reader without a group is there; `0-0` when it has not begun. */
  | { readonly kind: 'position'; readonly positionKey: string; readonly id: string }

export interface Frontier {
  /** Entries with a smaller id are needed by no group and no reader. */
  readonly frontier: string
  readonly holder: FrontierHolder
  /** The frontier, or the id at which the reserve by age begins if that is smaller. */
  readonly cut: string
}

export type TrimStep =
  /** Neither a group nor a reader: nothing says what is still needed. Nothing was removed. */
  | { readonly kind: 'unread' }
  /** There is a group that was not named. Nothing was removed. */
  | { readonly kind: 'unnamed' }
  | (Frontier & {
      readonly kind: 'step'
      readonly removed: number
      /** Entries in the stream now. */
      readonly length: number
      readonly isMore: boolean
    })

/**
 * One bounded step.
 * @param what.batch entries to remove at most; 0 only explains
 * @throws {MillraceError} NO_STREAM, WRONG_TYPE, AUTHENTICATION.
 */
export async function trim(
  connection: Sender,
  stream: string,
  what: {
    readonly batch: number
    /** The newest entries stay. */
    readonly keepEntries: number
    /** Entries younger than this stay, in milliseconds; 0: none. */
    readonly keepMs: number
    /** Names of all groups that exist, and of those that have to. */
    readonly groups: readonly string[]
    /** Readers without a group, and what it means when the key of their position is missing. */
    readonly positions: readonly { readonly key: string; readonly ifMissing: 'hold' | 'ignore' }[]
  },
): Promise<TrimStep> {
  const { batch, keepEntries, keepMs, groups, positions } = what
  const ledgers = groups.map((name) => groupKeys(stream, name).ledger)
  const keys = [stream, streamLedger(stream), ...ledgers, ...positions.map(({ key }) => key)]
  const reserve = [String(keepEntries), keepMs === 0 ? '' : String(keepMs)]
  const ifMissing = positions.map((position) => position.ifMissing)
  const args = [String(batch), ...reserve, String(groups.length), ...groups, ...ifMissing]
  const reply = await runScript(connection, trimScript, keys, args)
  return stepOf(checked(reply, (code) => trimFailure(code, stream)))
}

function stepOf([kind, removed, length, isMore, frontier, holder, cut]: Reply[]): TrimStep {
  if (kind === 'unread' || kind === 'unnamed') return { kind }
  return {
    kind: 'step',
    removed: Number(removed),
    length: Number(length),
    isMore: isMore === 1,
    frontier: String(frontier),
    holder: holderOf(asList(holder ?? null)),
    cut: String(cut),
  }
}

function holderOf([kind, name, id, ...rest]: Reply[]): FrontierHolder {
  const held = { id: String(id) }
  if (kind === 'position') return { kind, positionKey: String(name), ...held }
  const group = String(name)
  if (kind === 'lost' || kind === 'unaccounted') return { kind, group, ...held }
  if (kind !== 'pending') return { kind: 'last-delivered', group, ...held }
  const [consumer, idleMs, deliveries] = rest
  return {
    kind,
    group,
    ...held,
    consumer: String(consumer),
    idleMs: Number(idleMs),
    deliveries: Number(deliveries),
  }
}

function trimFailure(code: string, stream: string): MillraceError {
  const action = `Cannot trim stream "${stream}"`
  switch (code) {
    case 'no-stream':
      return new MillraceError('NO_STREAM', {
        action,
        state: 'it does not exist',
        remedy: 'Append to it first, or look at the name of its key',
      })
    case 'wrong-position':
      return new MillraceError('WRONG_TYPE', {
        action,
        state: 'the position of a reader is no entry id',
        remedy: 'Name the key that the reader keeps',
      })
    default:
      return scriptFailure(action, code, {
        state: 'it, its ledger or the position of a reader is a key of another type',
        remedy: 'Move that key away or use another one',
      })
  }
}
