import type { Millrace } from 'millrace'
import { pendingIn } from '../snapshot/look/read-groups.ts'
import type { PendingSnapshot } from '../snapshot/snapshot.ts'

/** An entry that is delivered and not acknowledged. */
export type PendingEntry = PendingSnapshot

export interface PendingWanted {
  readonly count: number
  /** The id to begin at, `(id` for behind it; default the first. */
  readonly from?: string
  /** Those of one consumer. */
  readonly consumer?: string | undefined
  /** Those whose last delivery is so long ago, in milliseconds. */
  readonly idleMs?: number | undefined
}

/** Pending entries of a group by their ids. @throws {MillraceError} NO_GROUP, WRONG_TYPE. */
export async function pendingEntries(
  millrace: Pick<Millrace, 'send'>,
  stream: string,
  group: string,
  { count, from = '-', consumer, idleMs }: PendingWanted,
): Promise<PendingEntry[]> {
  const idle = idleMs === undefined || idleMs === 0 ? [] : ['IDLE', String(idleMs)]
  const who = consumer === undefined ? [] : [consumer]
  const asked = ['XPENDING', stream, group, ...idle, from, '+', String(count), ...who]
  return pendingIn(await millrace.send(...asked))
}
