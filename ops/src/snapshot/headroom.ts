/** How far the end that others trim is behind the slowest group of a stream. */
import { MillraceError } from 'millrace'
import { compareIds } from 'millrace/operate'
import type { Counter } from './lag.ts'
import type { LookedGroup } from './look/look.ts'
import type { ReadStream } from './look/read-streams.ts'
import type { TrimHeadroom } from './snapshot.ts'

/** The headroom, all but its time. */
export type Front = Omit<TrimHeadroom, 'seconds'>

// About 10 ms of the server in short steps, and only where the slowest group holds a pending entry.
const bounds = { most: 10_000, bytesMost: 3_000_000 }

/** Null where nothing can overtake a group, nothing waits, or the user may not count. */
export async function frontOf(
  millrace: Counter,
  stream: Omit<ReadStream, 'groups'>,
  groups: readonly LookedGroup[],
): Promise<Front | null> {
  if (!isTrimmedByOthers(stream)) return null
  const [slowest] = groups
    .flatMap((group) => {
      const entryId = oldestOf(group)
      return entryId === null ? [] : [{ group, entryId }]
    })
    .sort((a, b) => compareIds(a.entryId, b.entryId))
  if (slowest === undefined) return null
  try {
    return await inFront(millrace, stream, slowest)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'AUTHENTICATION') return null
    throw error
  }
}

/** Entries went that neither our trimmer took nor somebody deleted: XDEL leaves the greatest id that it has met, a trimmer does not. */
const isTrimmedByOthers = ({
  removedByOthers,
  maxDeletedId,
}: Omit<ReadStream, 'groups'>): boolean => removedByOthers > 0 && maxDeletedId === '0-0'

/** Undelivered or pending; null when nothing waits. */
function oldestOf({ oldestUndeliveredId, oldestPending }: LookedGroup): string | null {
  const [oldest = null] = [oldestUndeliveredId, oldestPending?.id ?? null]
    .filter((id) => id !== null)
    .sort(compareIds)
  return oldest
}

async function inFront(
  millrace: Counter,
  { key, length }: Omit<ReadStream, 'groups'>,
  { group, entryId }: { readonly group: LookedGroup; readonly entryId: string },
): Promise<Front> {
  const { name, lag, lagDoubt, lastDeliveredId } = group
  const front = (entries: number, isExact: boolean): Front => {
    return { group: name, entryId, entries: Math.max(0, entries), isExact }
  }
  // All that is behind it is undelivered, or was delivered since.
  if (lag !== null && lagDoubt === null) {
    if (entryId === group.oldestUndeliveredId) return front(length - lag, true)
    const since = await millrace.countEntries(key, [entryId, lastDeliveredId], bounds)
    if (since.isWhole) return front(length - lag - since.counted, true)
  }
  const before = await millrace.countEntries(key, ['-', `(${entryId}`], bounds)
  return front(before.counted, before.isWhole)
}
