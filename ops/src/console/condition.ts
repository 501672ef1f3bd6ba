/** How a group does, as a word with a shape, and which is the worse of two: the console sorts by it, and so does its page. */
import type { GroupView } from './wire.ts'

/** The shape in front of the word: octagon, triangle, bars, open diamond, circle. */
export type Shape = 'bad' | 'warn' | 'off' | 'unknown' | 'ok'

/** From the worst to the best. */
const conditions = [
  'nobody',
  'consumer-gone',
  'stuck',
  'falling-behind',
  'behind',
  'catching-up',
  'lag-unknown',
  'dead-letters',
  'paused',
  'working',
  'idle',
] as const

export type Condition = (typeof conditions)[number]

export const shapeOf: Readonly<Record<Condition, Shape>> = {
  nobody: 'bad',
  'consumer-gone': 'bad',
  stuck: 'bad',
  'falling-behind': 'warn',
  behind: 'warn',
  'catching-up': 'warn',
  'lag-unknown': 'unknown',
  'dead-letters': 'warn',
  paused: 'off',
  working: 'ok',
  idle: 'ok',
}

/** What is to be said of a group first. */
export function conditionOf(
  group: Pick<GroupView, 'state' | 'gone' | 'lag' | 'deadLetters'>,
): Condition {
  const { state } = group
  if (state === 'nobody') return state
  if (group.gone !== null) return 'consumer-gone'
  if (state !== 'working' && state !== 'idle') return state
  if (group.lag === null) return 'lag-unknown'
  return group.deadLetters > 0 ? 'dead-letters' : state
}

/** The worse one first; of equal ones the one whose oldest entry has waited longer, then by name. */
export function compareConditions(a: GroupView, b: GroupView): number {
  const rank = (group: GroupView): number => conditions.indexOf(conditionOf(group))
  return (
    rank(a) - rank(b) ||
    (b.timeLagMs ?? 0) - (a.timeLagMs ?? 0) ||
    order(a.stream, b.stream) ||
    order(a.group, b.group)
  )
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
