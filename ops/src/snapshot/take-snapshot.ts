/** A snapshot for those who want one, or two with rates: commands. Who asks again and again has `Snapshots`. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Millrace } from 'millrace'
import { find, look, type LookOptions } from './look.ts'
import { snapshotOf } from './snapshot-of.ts'
import type { Snapshot } from './snapshot.ts'

export interface TakeOptions extends LookOptions {
  /** Looks twice, so many milliseconds apart, so that rates are known; default 0: once. */
  readonly overMs?: number
}

/**
 * Looks at streams and their groups; nothing is changed. A stream that was named and cannot be read is told in `looked.unread`.
 * @throws {MillraceError} when the server does not answer; AUTHENTICATION when the user may not SCAN and no streams are named.
 */
export async function takeSnapshot(
  millrace: Pick<Millrace, 'send' | 'countEntries'>,
  { overMs = 0, ...options }: TakeOptions = {},
): Promise<Snapshot> {
  const found = options.streams === undefined ? await find(millrace) : undefined
  const first = await look(millrace, options, found)
  if (overMs === 0) return snapshotOf(first)
  await delay(overMs)
  return snapshotOf(await look(millrace, options, found), first)
}
