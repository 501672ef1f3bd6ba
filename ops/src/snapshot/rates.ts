/** What two looks tell of what came and what was done between them. */
import type { Look, LookedGroup, LookedStream } from './look/look.ts'
import type { GroupSnapshot } from './snapshot.ts'

/** Two looks, and the time between them. */
export interface Between {
  /** Streams at the look before, by their keys. */
  readonly before: ReadonlyMap<string, LookedStream>
  /** Seconds of the server's clock. */
  readonly seconds: number
}

/** Undefined without a look before, or when the clock was set back. */
export function between(before: Look | undefined, now: Look): Between | undefined {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000
  if (before === undefined || seconds <= 0) return undefined
  return { before: new Map(before.streams.map((stream) => [stream.key, stream])), seconds }
}

/** Entries that came, a second; null when that is not known: a first look, a counter that was set back. */
export function inPerSecond(span: Between | undefined, stream: LookedStream): number | null {
  const before = span?.before.get(stream.key)
  if (span === undefined || before === undefined) return null
  const came = stream.entriesAdded - before.entriesAdded
  return came < 0 ? null : came / span.seconds
}

/** A group and its stream at one look. */
export interface Moment {
  readonly group: LookedGroup
  readonly stream: LookedStream
}

export type Rates = Pick<GroupSnapshot, 'donePerSecond' | 'growthPerSecond' | 'secondsToCatchUp'>

/** @param before the group and its stream at the look before */
export function ratesOf(
  span: Between | undefined,
  { group, stream }: Moment,
  before: Moment | undefined,
): Rates {
  const waits = waitingIn(group)
  const still = { secondsToCatchUp: waits === 0 ? 0 : null }
  if (span === undefined || before === undefined) {
    return { donePerSecond: null, growthPerSecond: null, ...still }
  }
  const growth = growthBetween(before.group, group)
  const done = doneBetween(before, { group, stream })
  const perSecond = (many: number | null): number | null =>
    many === null ? null : many / span.seconds
  const shrinks = growth !== null && growth < 0 && waits !== null && waits > 0
  return {
    donePerSecond: perSecond(done),
    growthPerSecond: perSecond(growth),
    ...(shrinks ? { secondsToCatchUp: (waits * span.seconds) / -growth } : still),
  }
}

/** Undelivered and pending; null when nobody can tell. */
const waitingIn = ({ lag, pending }: Pick<GroupSnapshot, 'lag' | 'pending'>): number | null =>
  lag === null ? null : lag + pending

function growthBetween(before: LookedGroup, now: LookedGroup): number | null {
  const [then, since] = [waitingIn(before), waitingIn(now)]
  return then === null || since === null ? null : since - then
}

/** By the ledger; else what was delivered and is not pending: settled, or taken without acknowledgement. */
function doneBetween(before: Moment, now: Moment): number | null {
  const [then, since] = [before.group, now.group]
  if (then.doneTotal !== null && since.doneTotal !== null) {
    return atLeastNone(since.doneTotal - then.doneTotal)
  }
  const delivered = deliveredBetween(before, now)
  return delivered === null ? null : atLeastNone(delivered - (since.pending - then.pending))
}

/** By the server's count; else what came and does not wait, where nothing was removed meanwhile. */
function deliveredBetween(before: Moment, now: Moment): number | null {
  const [then, since] = [before.group, now.group]
  if (then.entriesRead !== null && since.entriesRead !== null) {
    return since.entriesRead - then.entriesRead
  }
  const isWhole = before.stream.removedByOthers === now.stream.removedByOthers
  if (!isWhole || then.lag === null || since.lag === null) return null
  return now.stream.entriesAdded - before.stream.entriesAdded - (since.lag - then.lag)
}

/** A redriven entry is done no more; a group that was moved back has done nothing. */
const atLeastNone = (done: number): number => Math.max(0, done)
