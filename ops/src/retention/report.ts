/** Says to people what a run of the trimmer has done or would do. */
import type { TrimOutcome } from 'millrace'
import type { FrontierHolder } from 'millrace/operate'
import type { Place } from '../place/place.ts'
import { duration, printable, quoted, written } from '../terminal/words.ts'

/** What its words are about. */
type Told = Pick<Place, 'typed' | 'words' | 'knowledge'>

type Ran = Exclude<TrimOutcome, { kind: 'unread' }>

/** One run as lines of text. */
export function asText(stream: string, outcome: Ran, told: Told): string {
  const lines = [
    `Stream ${printable(stream)}: ${workText(outcome, told)}`,
    `Frontier ${heldText(outcome.holder, told)}`,
  ]
  if (outcome.cut !== outcome.frontier) lines.push(`The reserve by age begins at ${outcome.cut}.`)
  return lines.join('\n')
}

function workText(outcome: Ran, { words }: Told): string {
  const many = words.entry[1]
  if (outcome.kind === 'trimmed') {
    const { removed, remaining } = outcome
    return removed === 0
      ? `nothing to trim, ${written(remaining)} stay.`
      : `trimmed ${written(removed)} ${many}, ${written(remaining)} stay.`
  }
  const { removable, isExact, length } = outcome
  const would = `${written(removable)}${isExact ? '' : ' or more'} of ${written(length)} ${many} would go`
  return isExact ? `${would}, ${written(length - removable)} stay.` : `${would}.`
}

/** Which id holds the frontier, and why. */
export function heldText(holder: FrontierHolder, { typed, words, knowledge }: Told): string {
  switch (holder.kind) {
    case 'pending':
      return (
        `${holder.id}: the oldest pending ${words.entry[0]} of group ${quoted(holder.group)}, with consumer ` +
        `${quoted(holder.consumer)}, idle for ${duration(holder.idleMs)}, delivered ${times(holder.deliveries)}.`
      )
    case 'last-delivered':
      return holder.id === '0-0'
        ? `${holder.id}: group ${quoted(holder.group)} has not read anything yet.`
        : `${holder.id}: the last one that group ${quoted(holder.group)} has been delivered; nothing before it is pending.`
    case 'lost':
      return (
        `${holder.id}: group ${quoted(holder.group)} was lost, and what comes after is not settled for certain. ` +
        `Bring it back first: "${typed('recover', holder.group)}".`
      )
    case 'unaccounted':
      return (
        `${holder.id}: of what group ${quoted(holder.group)} was delivered after it, something is neither pending nor ` +
        `settled. See what can be recovered with "${typed('recover', holder.group)}".`
      )
    case 'position': {
      const { positionKey } = holder
      const reader = knowledge.readers.find((one) => one.positionKey === positionKey)
      return `${holder.id}: the position of the ${reader?.title ?? 'reader'} (${positionKey}).`
    }
  }
}

const times = (count: number): string => (count === 1 ? 'once' : `${written(count)} times`)
