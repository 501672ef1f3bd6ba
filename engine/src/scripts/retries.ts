/** The scripts about entries that wait for their next attempt, pending under a consumer of their own. */
import type { GroupKeys, parkingNames } from '../redis/keys.ts'
import { rawEntries, textsOf, type RawEntry } from '../redis/replies.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { groupFailure } from './script-failure.ts'

const retryScript = script('retry')
const takeDueScript = script('take-due')

const parkingName: (typeof parkingNames)[number] = 'retry'

/**
 * `scheduled`: it is parked until it is due; `superseded`: the lease is not this process's; `gone`: the entry is not pending for
 * this consumer any more; `lost`: its body is gone. Nothing was written but by the first.
 */
export type RetryAnswer = 'scheduled' | 'superseded' | 'gone' | 'lost'

/** Schedules the next attempt at an entry. @throws {MillraceError} NO_GROUP, WRONG_TYPE, AUTHENTICATION. */
export async function retry(
  connection: Sender,
  { stream, holders, retries, attempts }: GroupKeys,
  what: {
    readonly group: string
    readonly consumer: string
    /** Of its lease. */
    readonly token: string
    readonly id: string
    /** Failed attempts so far. */
    readonly attempt: number
    readonly afterMs: number
  },
): Promise<RetryAnswer> {
  const { group, consumer, token, id, attempt, afterMs } = what
  const due = [String(attempt), String(Math.ceil(Math.max(0, afterMs)))]
  const reply = await runScript(
    connection,
    retryScript,
    [stream, holders, retries, attempts],
    [group, consumer, token, parkingName, id, ...due],
  )
  const [kind] = checked(reply, (code) => groupFailure(code, { stream, group }))
  return kind as RetryAnswer
}

export interface Due {
  /** Milliseconds until another one is due; null: there is none. */
  readonly nextDueMs: number | null
  /** It is time for these. */
  readonly entries: readonly RawEntry[]
  /** Ids of entries whose body is gone: each left a dead letter. */
  readonly lost: readonly string[]
}

/** Takes entries whose next attempt is due. @throws {MillraceError} NO_GROUP, GROUP_MOVED, WRONG_TYPE, AUTHENTICATION. */
export async function takeDue(
  connection: Sender,
  { stream, deadLetters, retries, ledger, attempts }: GroupKeys,
  what: { readonly group: string; readonly consumer: string; readonly countMax: number },
): Promise<Due> {
  const { group, consumer, countMax } = what
  const reply = await runScript(
    connection,
    takeDueScript,
    [stream, deadLetters, retries, ledger, attempts],
    [group, consumer, parkingName, String(countMax)],
  )
  const failure = (code: string) => groupFailure(code, { stream, group })
  const [next, entries, lost] = checked(reply, failure)
  const nextDueMs = next === '' ? null : Number(next)
  return { nextDueMs, entries: rawEntries(entries), lost: textsOf(lost) }
}
