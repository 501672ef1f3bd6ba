/** Pauses and resumes a group or a consumer, and says what that means. */
import type { Fields, Group, Paused } from 'millrace'
import { printable } from '../terminal/words.ts'

export interface PauseOutcome {
  readonly result: { readonly isPaused: boolean; readonly changed: boolean }
  readonly line: string
}

/** @throws {MillraceError} WRONG_TYPE. */
export async function pauseOutcome<F extends Fields>(
  group: Group<F>,
  action: 'pause' | 'resume',
  who: Paused,
): Promise<PauseOutcome> {
  const subject =
    who === 'group'
      ? `Group ${group.name}`
      : `Consumer ${printable(who.consumer)} of group ${group.name}`
  if (action === 'pause') {
    await group.pause(who)
    return {
      result: { isPaused: true, changed: true },
      line: `${subject} is paused, within 2 s. It keeps its entries, and nobody claims them while it lives.`,
    }
  }
  const changed = await group.resume(who)
  const isStill = who !== 'group' && (await group.isPaused())
  const state = changed ? 'is resumed, within 2 s' : 'was not paused'
  return {
    result: { isPaused: isStill, changed },
    line: `${subject} ${state}${isStill ? '; the group as a whole is still paused' : ''}.`,
  }
}
