/** What two looks tell of what came and what was done between them. */
import type { Look, LookedGroup, LookedStream } from './look.ts'
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

export type Rates = Pick<GroupSnapshot, 'donePerSecond' | 'growthPerSecond' | 'secondsToCatchUp'>

export function ratesOf(
  span: Between | undefined,
  group: LookedGroup,
  before: LookedGroup | undefined,
): Rates {
  const waits = waitingIn(group)
  const still = { secondsToCatchUp: waits === 0 ? 0 : null }
  if (span === undefined || before === undefined) {
    return { donePerSecond: null, growthPerSecond: null, ...still }
  }
  const growth = growthBetween(before, group)
  const done = doneBetween(before, group)
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
function doneBetween(before: LookedGroup, now: LookedGroup): number | null {
  if (before.doneTotal !== null && now.doneTotal !== null) {
    return atLeastNone(now.doneTotal - before.doneTotal)
  }
  if (before.entriesRead === null || now.entriesRead === null) return null
  const settled = (group: LookedGroup): number => (group.entriesRead ?? 0) - group.pending
  return atLeastNone(settled(now) - settled(before))
}

/** A redriven entry is done no more; a group that was moved back has done nothing. */
const atLeastNone = (done: number): number => Math.max(0, done)
