/**
 * Groups whose names no group of the engine can have: with spaces, other letters, or longer. Redis allows every name. Looking at them
 * works by what the server tells; the engine's own calls refuse them.
 */
import { MillraceError, type Millrace } from 'millrace'
import { isName, type Balance, type RecoveryPlan } from 'millrace/operate'
import type { Place } from '../place/place.ts'
import type { GroupSnapshot, StreamSnapshot } from '../snapshot/snapshot.ts'
import { takeStream } from '../snapshot/take-snapshot.ts'
import { escaped, quoted } from '../terminal/words.ts'

/** The name of the group, where the engine cannot have one of that name. */
export const foreignNameOf = ({ groupName }: Pick<Place, 'groupName'>): string | undefined =>
  groupName === undefined || isName(groupName) ? undefined : groupName

/** @throws {MillraceError} NO_STREAM, NO_GROUP, WRONG_TYPE, and when the server does not answer. */
export async function lookAtForeign(
  millrace: Millrace,
  key: string,
  name: string,
): Promise<{ readonly stream: StreamSnapshot; readonly group: GroupSnapshot }> {
  const stream = await takeStream(millrace, key, { group: name })
  const [group] = stream.groups
  if (group !== undefined) return { stream, group }
  throw new MillraceError('NO_GROUP', {
    action: `Cannot look at stream "${escaped(key)}"`,
    state: `it has no group ${quoted(name)}`,
    remedy: 'Look at the groups that there are',
  })
}

/** What the server tells, as a balance without a ledger: nobody counts what was done. @throws as {@link lookAtForeign}. */
export async function foreignBalance(
  millrace: Millrace,
  key: string,
  name: string,
): Promise<Balance> {
  const [{ stream, group }, time] = await Promise.all([
    lookAtForeign(millrace, key, name),
    millrace.send('TIME'),
  ])
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : []
  return {
    atMs: (seconds ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000),
    appended: stream.entriesAdded,
    length: stream.length,
    lastId: stream.lastGeneratedId,
    lastDeliveredId: group.lastDeliveredId,
    pending: group.pending,
    oldestPendingId: group.oldestPending?.id ?? null,
    oldestUndeliveredId: group.oldestUndeliveredId,
    undelivered: group.lagDoubt === null ? group.lag : null,
    lag: group.serverLag,
    // What others have removed is no loss that could be told here.
    trimmed: stream.removedByOthers,
    ...{ skipped: null, applied: 0, deadLettered: 0, redriven: 0, purged: 0 },
    ...{ deadLetters: 0, retries: 0, hasLedger: false, unaccounted: null },
  }
}

/** There is nothing to recover, since there is no ledger of such a group. */
export const noPlan: RecoveryPlan = {
  condition: 'no-ledger',
  ...{ position: '0-0', lastDeliveredId: '0-0', applied: 0, deadLettered: 0 },
  ...{ toDeliver: 0, isToDeliverExact: false, unknown: 0, firstUnknownIds: [] },
}
