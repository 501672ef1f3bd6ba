/** How figures are written where one may be unknown: that is never a nought. */
import type { GroupSnapshot, GroupState } from '../../snapshot/snapshot.ts'
import { duration, written } from '../../terminal/words.ts'
import type { Tone } from './table.ts'

/** Nothing is to be told: it does not apply, or is not known yet. */
export const none = '-'

export const time = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? none : duration(Math.max(0, Math.round(ms)))

/** A number a second, with one decimal where that says something. */
export function rate(perSecond: number | null): string {
  if (perSecond === null) return none
  const shown = perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond)
  return written(shown)
}

export function lag({ lag, lagDoubt }: Pick<GroupSnapshot, 'lag' | 'lagDoubt'>): string {
  if (lag !== null) return written(lag)
  return lagDoubt === null ? 'unknown' : `>=${written(lagDoubt.atLeast)}`
}

/** What a lag is sorted by: what is not known counts as what there is at least. */
export const lagValue = ({ lag, lagDoubt }: Pick<GroupSnapshot, 'lag' | 'lagDoubt'>): number =>
  lag ?? lagDoubt?.atLeast ?? 0

export const stateTones: Readonly<Record<GroupState, Tone>> = {
  nobody: 'bad',
  paused: 'warn',
  stuck: 'bad',
  'falling-behind': 'bad',
  behind: 'warn',
  'catching-up': 'warn',
  working: 'good',
  idle: 'quiet',
}
