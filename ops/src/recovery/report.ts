/** Says to people what the recovery of a group would do, and what it has done. */
import type { GroupCondition, RecoveryOutcome, RecoveryPlan } from 'millrace/operate'
import { countOf, printable, written } from '../terminal/words.ts'
import type { Typed } from '../place/typed.ts'
import type { Noun } from '../service.ts'

/** What was found, in words: goes on after "Group ... of stream ...: ". */
const findingsOf = ([one, many]: Noun): Readonly<Record<GroupCondition, string>> => ({
  healthy: 'it is where its ledger left it. Nothing to recover.',
  'no-ledger': `no consumer of Millrace has settled ${articled(one)} of it yet. Nothing to recover.`,
  'no-stream': 'the stream does not exist any more.',
  'no-group': 'the group does not exist any more.',
  'stream-made-anew': 'the stream was deleted and made anew.',
  'moved-back':
    'it was moved back or created again, or an entry was claimed by force: it would process again what is settled.',
  'entries-missing': `${many} were delivered that are neither pending nor settled: the group was moved forward, or pending ones were dropped.`,
  unfinished: 'a recovery has begun and is not finished.',
})

const articled = (one: string): string => `${/^[aeiou]/.test(one) ? 'an' : 'a'} ${one}`

/** Whether there is nothing to do. */
export const isNothingToDo = ({ condition }: Pick<RecoveryPlan, 'condition'>): boolean =>
  condition === 'healthy' || condition === 'no-ledger'

/** What a report is about, and in whose words. */
export interface Told {
  readonly stream: string
  readonly group: string
  readonly typed: Typed
  readonly entry: Noun
  readonly worker: Noun
}

/** What would be done, as lines of text. */
export function planText({ stream, group, entry }: Told, plan: RecoveryPlan): string {
  const head = `Group ${printable(group)} of stream ${printable(stream)}: ${findingsOf(entry)[plan.condition]}`
  if (isNothingToDo(plan)) return head
  return [
    head,
    `  Settled for certain, not to be delivered again: ${written(plan.applied)} counted, ${countOf(plan.deadLettered, 'dead letter')}.`,
    `  Never settled for certain, to be delivered: ${atLeast(plan)} after ${plan.position}.`,
    ...unknownLines(plan),
  ].join('\n')
}

function unknownLines({ unknown, firstUnknownIds }: RecoveryPlan): string[] {
  if (unknown === 0) return ['  Unknown: none.']
  const more = unknown > firstUnknownIds.length ? ', ...' : ''
  return [
    `  Unknown, counted or not before the loss: ${written(unknown)} (${firstUnknownIds.join(', ')}${more}).`,
    '  Each of these becomes a dead letter with reason "unknown", so that nothing counts twice by itself.',
  ]
}

export const howToExecute = ({ typed, worker }: Told): string =>
  `Nothing was changed. Stop all ${worker[1]} of the group, then: ${typed('recover --execute')}`

/** What was done, as lines of text. */
export function outcomeText({ group, typed, entry }: Told, outcome: RecoveryOutcome): string {
  const { position, lettersWritten, toDeliver, unaccounted } = outcome
  const rest =
    toDeliver === null ? `many ${entry[1]} are` : `${counted(toDeliver, entry)} to be delivered`
  const lines = [
    `Recovered group ${group}: it goes on after ${position}, ${toDeliver === null ? `${rest} to be delivered` : rest}.`,
  ]
  if (lettersWritten > 0) {
    lines.push(
      `Wrote ${countOf(lettersWritten, 'dead letter')}: ${typed('dead-letters list --reason unknown')}`,
      'Redrive those that you know were not counted, purge the others.',
    )
  }
  if (unaccounted !== null && unaccounted !== 0) {
    lines.push(
      `${counted(unaccounted, entry)} in no count: trimmed or deleted before anybody could tell. The ledger takes them as skipped.`,
    )
  }
  return lines.join('\n')
}

const counted = (count: number, [one, many]: Noun): string =>
  countOf(count, `${one} is`, `${many} are`)

const atLeast = ({ toDeliver, isToDeliverExact }: RecoveryPlan): string =>
  `${written(toDeliver)}${isToDeliverExact ? '' : ' or more'}`
