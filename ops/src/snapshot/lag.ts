/** How many entries a group has not been delivered: told by the server where it cannot be wrong, else counted. */
import { MillraceError, type Millrace } from 'millrace'
import { compareIds } from 'millrace/operate'
import type { Named } from './look/group-questions.ts'
import type { GroupSnapshot, LagDoubt } from './snapshot.ts'

/** The parts of a group's snapshot that are about its lag. */
export type Lag = Pick<GroupSnapshot, 'lag' | 'lagDoubt'>

/** How much is counted in one snapshot, for all groups together; about 1 ms of the server for a thousand entries. */
export interface CountBudget {
  /** Entries, default 20,000. */
  readonly entries: number
  /** Of one group in each direction, default 10,000. */
  readonly entriesOfGroup: number
}

const countBudget: CountBudget = { entries: 20_000, entriesOfGroup: 10_000 }

/** For each count: beyond it entries are so large that counting them costs too much. */
const bytesMost = 3_000_000

export type Counter = Pick<Millrace, 'countEntries'>

const exactly = (lag: number): Lag => ({ lag, lagDoubt: null })

/** Null where it has to be counted. `oldestUndeliveredId` is the first entry that is there behind the last delivered one. */
export function toldLag(
  { stream, group }: Named,
  { oldestUndeliveredId }: Pick<GroupSnapshot, 'oldestUndeliveredId'>,
): Lag | null {
  const { length, firstEntryId, removedByOthers } = stream
  if (oldestUndeliveredId === null || firstEntryId === null) return exactly(0)
  if (compareIds(group.lastDeliveredId, firstEntryId) < 0) return exactly(length)
  const { serverLag } = group
  // What others removed before its delivery stays in the server's lag, on some versions for ever. Our trimmer takes no such entry.
  const isTrue = removedByOthers === 0 && serverLag !== null && serverLag > 0 && serverLag < length
  return isTrue ? exactly(serverLag) : null
}

/**
 * Counts for those groups where it has to be, those with a small lag first. Where the budget ends it is the server's number
 * within what can be, with a doubt.
 */
export async function countLags(
  millrace: Counter,
  groups: readonly Named[],
  budget: CountBudget = countBudget,
): Promise<Map<Named, Lag>> {
  const order = [...groups].sort(
    (a, b) => (a.group.serverLag ?? Infinity) - (b.group.serverLag ?? Infinity) || 0,
  )
  const found = new Map<Named, Lag>()
  let left = budget.entries
  for (const named of order) {
    const most = Math.min(left, budget.entriesOfGroup)
    const { lag, counted } = await countLag(millrace, named, most)
    left -= counted
    found.set(named, lag)
  }
  return found
}

/** The first entries behind the last delivered one, then those before it: the shorter side is enough. */
async function countLag(
  millrace: Counter,
  named: Named,
  most: number,
): Promise<{ readonly lag: Lag; readonly counted: number }> {
  const { stream, group } = named
  const { key, length } = stream
  // At least the one that was seen.
  if (most <= 0) return { lag: doubtful(named, { least: 1, most: length - 1 }), counted: 0 }
  try {
    const bounds = { most, bytesMost }
    const range = [`(${group.lastDeliveredId}`, stream.lastEntryId ?? '+'] as const
    const after = await millrace.countEntries(key, range, bounds)
    if (after.isWhole) return { lag: exactly(after.counted), counted: after.counted }
    const before = await millrace.countEntries(key, ['-', group.lastDeliveredId], bounds)
    const counted = after.counted + before.counted
    const others = Math.max(after.counted, length - before.counted)
    if (before.isWhole) return { lag: exactly(others), counted }
    return { lag: doubtful(named, { least: after.counted, most: others }), counted }
  } catch (error) {
    // Without the right to run scripts.
    if (!(error instanceof MillraceError) || error.code !== 'AUTHENTICATION') throw error
    const lag = doubtful(named, { least: 1, most: length - 1 }, 'forbidden')
    return { lag, counted: 0 }
  }
}

function doubtful(
  { stream, group }: Named,
  { least, most }: { readonly least: number; readonly most: number },
  why: LagDoubt['why'] = stream.removedByOthers > 0 ? 'entries-deleted' : 'position-set',
): Lag {
  const { serverLag } = group
  const lag = serverLag === null ? null : Math.max(least, Math.min(serverLag, most))
  return { lag, lagDoubt: { why, atLeast: least } }
}
