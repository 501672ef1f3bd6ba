/** Says to people what the recovery of a group would do, and what it has done. */
import type { GroupCondition, RecoveryOutcome, RecoveryPlan } from 'millrace'
import { countOf, written } from '../terminal/words.ts'
import { typed } from '../terminal/typed.ts'

/** What was found, in words: goes on after "Group ... of stream ...: ". */
const findings: Readonly<Record<GroupCondition, string>> = {
  healthy: 'it is where its ledger left it. Nothing to recover.',
  'no-ledger': 'it has not settled a check-in yet. Nothing to recover.',
  'no-stream': 'the stream does not exist any more.',
  'no-group': 'the group does not exist any more.',
  'stream-made-anew': 'the stream was deleted and made anew.',
  'moved-back':
    'it was moved back or created again, or an entry was claimed by force: it would process again what is settled.',
  'entries-missing':
    'check-ins were delivered that are neither pending nor settled: the group was moved forward, or pending ones were dropped.',
  unfinished: 'a recovery has begun and is not finished.',
}

/** Whether there is nothing to do. */
export const isNothingToDo = ({ condition }: Pick<RecoveryPlan, 'condition'>): boolean =>
  condition === 'healthy' || condition === 'no-ledger'

export interface Place {
  readonly stream: string
  readonly group: string
}

/** What would be done, as lines of text. */
export function planText({ stream, group }: Place, plan: RecoveryPlan): string {
  const head = `Group ${group} of stream ${stream}: ${findings[plan.condition]}`
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

export const howToExecute = `Nothing was changed. Stop all processors of the group, then: ${typed('recover --execute')}`

/** What was done, as lines of text. */
export function outcomeText({ group }: Place, outcome: RecoveryOutcome): string {
  const { position, lettersWritten, toDeliver, unaccounted } = outcome
  const rest = toDeliver === null ? 'many check-ins are' : `${counted(toDeliver)} to be delivered`
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
      `${counted(unaccounted)} in no count: trimmed or deleted before anybody could tell. The ledger takes them as skipped.`,
    )
  }
  return lines.join('\n')
}

const counted = (count: number): string => countOf(count, 'check-in is', 'check-ins are')

const atLeast = ({ toDeliver, isToDeliverExact }: RecoveryPlan): string =>
  `${written(toDeliver)}${isToDeliverExact ? '' : ' or more'}`
