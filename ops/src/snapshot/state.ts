/** How a group does: one word, a sentence, and which one is worse off. */
import { compareIds } from 'millrace/operate'
import { countOf, duration, written } from '../terminal/words.ts'
import { pauseText } from '../terminal/pause-text.ts'
import type { LookedGroup } from './look/look.ts'
import type { GroupSnapshot, GroupState } from './snapshot.ts'
import type { Moment, Rates } from './rates.ts'

/** From the worst to the best. */
export const groupStates: readonly GroupState[] = [
  'nobody',
  'paused',
  'stuck',
  'falling-behind',
  'behind',
  'catching-up',
  'working',
  'idle',
]

/** What has waited for longer is late. */
const lateMs = 2000
/** A consumer of others that has read nothing for so long may be gone. */
const silentMs = 60_000

/** @param before undefined at a first look */
export function stateOf(group: LookedGroup, rates: Rates, before: Moment | undefined): GroupState {
  const waits = group.oldestUndeliveredId !== null || group.pending > 0
  if (!waits && isHalted(group)) return 'paused'
  if (!waits) return (rates.donePerSecond ?? 0) > 0 ? 'working' : 'idle'
  if (isAbandoned(group)) return 'nobody'
  if (isHalted(group)) return 'paused'
  return isLate(group, before) ? lateState(group, rates, before) : 'working'
}

function lateState(
  { lastDeliveredId }: LookedGroup,
  { growthPerSecond, donePerSecond }: Rates,
  before: Moment | undefined,
): GroupState {
  const hasMoved = lastDeliveredId !== before?.group.lastDeliveredId || (donePerSecond ?? 0) > 0
  if (before !== undefined && !hasMoved) return 'stuck'
  if (growthPerSecond === null || growthPerSecond === 0) return 'behind'
  return growthPerSecond > 0 ? 'falling-behind' : 'catching-up'
}

/** Somebody paused it, or all that live. */
function isHalted({ pause, consumers }: Pick<GroupSnapshot, 'pause' | 'consumers'>): boolean {
  const living = consumers.filter(({ state }) => state === 'alive')
  return pause !== null || (living.length > 0 && living.every(({ isPaused }) => isPaused))
}

function isAbandoned(group: LookedGroup): boolean {
  const { isManaged, consumers, consumerCounts, oldestUndeliveredId, timeLagMs } = group
  if (isManaged) return consumerCounts.alive === 0
  if (consumerCounts.total === 0) return true
  // Work that takes long is no fault, and of what is pending nobody but those who do it can tell.
  const isOld = oldestUndeliveredId !== null && (timeLagMs ?? silentMs) >= silentMs
  return isOld && consumers.length > 0 && consumers.every(({ idleMs }) => idleMs >= silentMs)
}

/** Something undelivered has waited for long, by its id or since the look before. */
function isLate(
  { timeLagMs, oldestUndeliveredId }: LookedGroup,
  before: Moment | undefined,
): boolean {
  if (oldestUndeliveredId === null) return false
  if (timeLagMs !== null) return timeLagMs >= lateMs
  const seen = before?.stream.lastEntryId ?? null
  return seen !== null && compareIds(oldestUndeliveredId, seen) <= 0
}

type Ranked = Pick<GroupSnapshot, 'state' | 'timeLagMs' | 'lag' | 'pending' | 'stream' | 'name'>

/** For `sort`: by state, then by time lag, by what waits, and by name. A pause that holds nothing up is no worse than work. */
export function worstFirst(a: Ranked, b: Ranked): number {
  return (
    rankOf(a) - rankOf(b) ||
    (b.timeLagMs ?? 0) - (a.timeLagMs ?? 0) ||
    (b.lag ?? Infinity) - (a.lag ?? Infinity) ||
    b.pending - a.pending ||
    compareTexts(a.stream, b.stream) ||
    compareTexts(a.name, b.name)
  )
}

function rankOf({ state, lag, pending }: Ranked): number {
  const waits = lag !== 0 || pending > 0
  return groupStates.indexOf(state === 'paused' && !waits ? 'working' : state)
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const heads: Readonly<Record<GroupState, string>> = {
  nobody: 'Nobody works',
  paused: 'Paused',
  stuck: 'Stuck',
  'falling-behind': 'Behind, falling further behind',
  behind: 'Behind',
  'catching-up': 'Behind, catching up',
  working: 'Working',
  idle: 'Idle',
}

/** In a sentence: `Behind, catching up: 2 of 3 consumers alive, 1,204 waiting, time lag 3.1 s, clear in 9 s`. */
export function sentenceOf(group: GroupSnapshot): string {
  const { state, pause, timeLagMs, pending, oldestPendingMs, secondsToCatchUp } = group
  const since = state === 'paused' && pause !== null ? ` ${pauseText(pause)}` : ''
  const isLagging = group.lag !== 0
  const clear = secondsToCatchUp === null ? null : Math.ceil(secondsToCatchUp) * 1000
  const parts = [
    consumersText(group),
    ...(isLagging ? [`${waitingText(group)} waiting`] : ['nothing waiting']),
    ...(isLagging && timeLagMs !== null ? [`time lag ${duration(timeLagMs)}`] : []),
    ...(pending > 0 ? [pendingText(pending, oldestPendingMs)] : []),
    ...(state === 'catching-up' && clear !== null ? [`clear in ${duration(clear)}`] : []),
  ]
  return `${heads[state]}${since}: ${parts.join(', ')}`
}

function consumersText({ isManaged, consumerCounts: { total, alive } }: GroupSnapshot): string {
  if (total === 0 && alive === 0) return 'no consumers'
  return isManaged
    ? `${written(alive)} of ${countOf(total, 'consumer')} alive`
    : countOf(total, 'consumer')
}

/** How much is undelivered: `1,204`, `about 50,000`, `at least 10,000`. */
export function waitingText({ lag, lagDoubt }: Pick<GroupSnapshot, 'lag' | 'lagDoubt'>): string {
  if (lagDoubt === null) return written(lag ?? 0)
  return lag === null ? `at least ${written(lagDoubt.atLeast)}` : `about ${written(lag)}`
}

function pendingText(pending: number, oldestMs: number | null): string {
  return `${written(pending)} pending${oldestMs === null ? '' : `, the oldest ${duration(oldestMs)} old`}`
}
