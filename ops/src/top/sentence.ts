/** How it stands, in one sentence about the worst: what is wrong, how much, and when it ends. */
import type { GroupSnapshot, Snapshot, Unread } from '../snapshot/snapshot.ts'
import { sentenceOf, waitingText, worstFirst } from '../snapshot/state.ts'
import { countOf, printable, quoted, written } from '../terminal/words.ts'
import { stateTones, time } from './tabs/figures.ts'
import type { Tone } from './tabs/table.ts'

export interface Told {
  readonly text: string
  readonly tone: Tone
}

export function toldOf({ streams, looked }: Snapshot): Told {
  const groups = streams.flatMap((stream) => stream.groups).sort(worstFirst)
  const [worst] = groups
  if (worst === undefined) return { text: nothingText(looked), tone: 'warn' }
  if (!isTrouble(worst)) return calm(groups)
  const who =
    streams.length > 1
      ? `${printable(worst.name)} of ${printable(worst.stream)}`
      : printable(worst.name)
  // The head of the sentence says the state, and then whose it is.
  const text = `${sentenceOf(worst).replace(': ', `: ${who.replaceAll('$', '$$$$')}, `)}.`
  const others = groups.filter(isTrouble).length - 1
  const more = others > 0 ? ` ${countOf(others, 'other group')} in trouble.` : ''
  return { text: text + more, tone: stateTones[worst.state] }
}

/** A pause that holds nothing up is none. */
const isTrouble = ({ state, lag, pending }: GroupSnapshot): boolean =>
  state === 'paused' ? lag !== 0 || pending > 0 : state !== 'working' && state !== 'idle'

function nothingText({ keys, isComplete, unread }: Snapshot['looked']): string {
  const [missing] = unread
  if (missing !== undefined) return `${unreadText(missing)}.`
  const far = isComplete ? countOf(keys, 'key') : `a part of ${countOf(keys, 'key')}`
  return `There is no group; looked at ${far}.`
}

/** Why a stream that was named is not shown. */
export const unreadText = ({ key, why }: Unread): string =>
  `Stream ${quoted(key)} ${
    {
      missing: 'does not exist',
      'wrong-type': 'is a key of another type',
      forbidden: 'may not be looked at by this user',
    }[why]
  }`

/** Nothing is late; what was given up is said nevertheless. */
function calm(groups: readonly GroupSnapshot[]): Told {
  const [first] = groups
  const which =
    groups.length === 1 && first ? printable(first.name) : countOf(groups.length, 'group')
  const waits = `all well: ${which}, ${waitsText(groups)}.`
  const letters = groups.reduce((sum, { deadLetters }) => sum + deadLetters, 0)
  if (letters === 0) return { tone: 'good', text: `A${waits.slice(1)}` }
  const newest = groups
    .flatMap(({ newestDeadLetter }) => newestDeadLetter ?? [])
    .sort((a, b) => (a.ageMs ?? Infinity) - (b.ageMs ?? Infinity))[0]
  const reason =
    newest === undefined
      ? ''
      : `, the newest ${time(newest.ageMs)} ago: ${printable(newest.reason)}`
  return { tone: 'warn', text: `${countOf(letters, 'dead letter')}${reason}. Else ${waits}` }
}

function waitsText(groups: readonly GroupSnapshot[]): string {
  const [first] = groups
  const waiting = groups.reduce((sum, { lag }) => sum + (lag ?? 0), 0)
  if (waiting === 0) return 'nothing waits'
  const oldest = Math.max(0, ...groups.map(({ timeLagMs }) => timeLagMs ?? 0))
  const count = groups.length === 1 && first ? waitingText(first) : written(waiting)
  return `${count} waiting, the oldest for ${time(oldest)}`
}
