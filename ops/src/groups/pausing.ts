/** Pauses and resumes a group or a consumer, and says what that means. */
import type { Fields, Group, Millrace } from 'millrace'
import type { Pause, Paused, PauseOptions } from 'millrace/operate'
import { printable } from '../terminal/words.ts'
import { isManaged } from './is-managed.ts'
import { pauseText } from '../terminal/pause-text.ts'

export interface PauseOutcome {
  readonly result: {
    readonly isPaused: boolean
    readonly changed: boolean
    /** Null when it is not paused by itself. */
    readonly pause: Pause | null
  }
  readonly line: string
}

/**
 * Where those who work on the group do not know of pauses, it says that first.
 * @throws {MillraceError} NO_CONSUMER when there is no such consumer, unless `future`; WRONG_TYPE.
 */
export async function pauseOutcome<F extends Fields>(
  millrace: Pick<Millrace, 'send'>,
  group: Group<F>,
  who: Paused,
  options: PauseOptions,
): Promise<PauseOutcome> {
  const subject = subjectOf(group, who)
  const { changed, pause } = await group.pause(who, options)
  const result = { isPaused: true, changed, pause }
  const again = `${subject} is paused already, ${pauseText(pause)}; nothing changed.`
  if (!(await isManaged(millrace, group))) {
    const noted = `${subject} is marked as paused: a consumer of Millrace halts when it starts.`
    const line = `${unheededText(group.name)} ${changed ? noted : again}`
    return { result, line }
  }
  const paused = `${subject} is paused, within 2 s. It keeps its entries, and nobody claims them while it lives.`
  return { result, line: changed ? paused : again }
}

const unheededText = (name: string): string =>
  `No consumer of Millrace has worked on group ${name} yet, and others do not heed a pause of Millrace: they go on.`

/** Likewise says first where others work, who were never halted. @throws {MillraceError} WRONG_TYPE. */
export async function resumeOutcome<F extends Fields>(
  millrace: Pick<Millrace, 'send'>,
  group: Group<F>,
  who: Paused,
): Promise<PauseOutcome> {
  const subject = subjectOf(group, who)
  const changed = await group.resume(who)
  const isStill = who !== 'group' && (await group.isPaused())
  const state = changed ? 'is resumed, within 2 s' : 'was not paused'
  const line = `${subject} ${state}${isStill ? '; the group as a whole is still paused' : ''}.`
  const caveat = (await isManaged(millrace, group)) ? '' : `${unheededText(group.name)} `
  return { result: { isPaused: isStill, changed, pause: null }, line: `${caveat}${line}` }
}

function subjectOf<F extends Fields>(group: Group<F>, who: Paused): string {
  return who === 'group'
    ? `Group ${group.name}`
    : `Consumer ${printable(who.consumer)} of group ${group.name}`
}
