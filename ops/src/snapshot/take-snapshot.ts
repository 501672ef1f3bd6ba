/** A snapshot for those who want one, or two with rates: commands. Who asks again and again has `Snapshots`. */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError, type Millrace } from 'millrace'
import { find, look, type LookOptions } from './look/look.ts'
import { snapshotOf } from './snapshot-of.ts'
import type { Snapshot, StreamSnapshot, Unread } from './snapshot.ts'
import { escaped } from '../terminal/words.ts'

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

/**
 * One stream with its groups, or with one of them.
 * @throws {MillraceError} NO_STREAM, WRONG_TYPE, AUTHENTICATION, and when the server does not answer.
 */
export async function takeStream(
  millrace: Pick<Millrace, 'send' | 'countEntries'>,
  key: string,
  options: Omit<TakeOptions, 'streams'> = {},
): Promise<StreamSnapshot> {
  const { streams, looked } = await takeSnapshot(millrace, { ...options, streams: [key] })
  const [stream] = streams
  if (stream !== undefined) return stream
  const [unread = { key, why: 'missing' }] = looked.unread
  throw unreadFailure(unread)
}

const failures = {
  missing: ['NO_STREAM', 'it does not exist', undefined],
  'wrong-type': [
    'WRONG_TYPE',
    'it is a key of another type',
    'Move that key away or use another one',
  ],
  forbidden: ['AUTHENTICATION', 'the user may not look at it', 'Grant it XINFO on this key'],
} as const

/** Why a stream could not be read, as a failure. */
function unreadFailure({ key, why }: Unread): MillraceError {
  const [code, state, remedy] = failures[why]
  const action = `Cannot look at stream "${escaped(key)}"`
  return new MillraceError(code, { action, state, remedy })
}
