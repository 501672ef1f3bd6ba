/** What the page says of groups in sentences: first how it stands, then why, then when it ends. */
import { conditionOf, shapeOf, type Condition } from '../../../src/console/condition.ts'
import type { GroupView, View } from '../../../src/console/wire.ts'
import { count, countOf, span } from './format.ts'

/** The word beside the shape. */
export function conditionWord(group: GroupView, atMs: number): string {
  const condition = conditionOf(group)
  if (condition !== 'paused') return words[condition]
  const since = group.pause?.since
  return since === undefined ? 'Paused' : `Paused ${span(Math.max(0, atMs - since))}`
}

const words: Readonly<Record<Condition, string>> = {
  nobody: 'Nobody works',
  'consumer-gone': 'Consumer gone',
  stuck: 'Stuck',
  'falling-behind': 'Falling behind',
  behind: 'Behind',
  'catching-up': 'Catching up',
  'lag-unknown': 'Lag unknown',
  'dead-letters': 'Dead letters',
  paused: 'Paused',
  working: 'Healthy',
  idle: 'Idle',
}

/** How a group stands, with its name in front: `orders is behind: 6 of 8 consumers work, ...`. */
export function groupSentence(group: GroupView): string {
  return `${group.group} ${stands[conditionOf(group)]}: ${howItIs(group)}.`
}

const stands: Readonly<Record<Condition, string>> = {
  nobody: 'has nobody who works on it',
  'consumer-gone': 'has lost a consumer',
  stuck: 'does not move',
  'falling-behind': 'falls behind',
  behind: 'is behind',
  'catching-up': 'is behind and catching up',
  'lag-unknown': 'works, but its lag is not known',
  'dead-letters': 'works, and has dead letters',
  paused: 'is paused',
  working: 'is healthy',
  idle: 'is idle',
}

/** Consumers, what waits, and when that ends; without a full stop. */
export function howItIs(group: GroupView): string {
  return [workersText(group), waitsText(group), endText(group)]
    .filter((part) => part !== '')
    .join(', ')
}

/** `6 of 8 consumers work`; of others Redis knows no leases. */
function workersText({ isManaged, state, consumerCounts }: GroupView): string {
  const { total, alive } = consumerCounts
  if (total === 0) return 'no consumers'
  if (!isManaged) return `${countOf(total, 'consumer')}${state === 'nobody' ? ' silent' : ''}`
  return `${count(alive)} of ${countOf(total, 'consumer')} ${total === 1 || alive === 1 ? 'works' : 'work'}`
}

function waitsText({ lag, lagDoubt, timeLagMs, pending }: GroupView): string {
  const oldest = timeLagMs === null || timeLagMs === 0 ? '' : ` for up to ${span(timeLagMs)}`
  if (lag === null)
    return `at least ${countOf(lagDoubt?.atLeast ?? 0, 'entry waits', 'entries wait')}${oldest}`
  if (lag > 0) return `${countOf(lag, 'entry waits', 'entries wait')}${oldest}`
  return pending > 0 ? `${count(pending)} pending` : 'nothing waits'
}

function endText({ secondsToCatchUp, lag }: GroupView): string {
  if (secondsToCatchUp === null || secondsToCatchUp === 0 || lag === 0) return ''
  return `clear in about ${span(Math.max(1000, Math.round(secondsToCatchUp) * 1000)).replace('.0', '')}`
}

/** `5 groups on 3 streams: 1 problem, 2 warnings, 1 healthy.` */
export function tallySentence({ groups }: Pick<View, 'groups'>): string {
  const streams = new Set(groups.map(({ stream }) => stream)).size
  const of = (...shapes: string[]): number =>
    groups.filter((group) => shapes.includes(shapeOf[conditionOf(group)])).length
  const parts = [
    [of('bad'), 'problem', 'problems'],
    [of('warn', 'unknown'), 'warning', 'warnings'],
    [of('off'), 'paused', 'paused'],
    [of('ok'), 'healthy', 'healthy'],
  ] as const
  const told = parts
    .filter(([size]) => size > 0)
    .map(([size, one, many]) => countOf(size, one, many))
  return `${countOf(groups.length, 'group')} on ${countOf(streams, 'stream')}: ${told.join(', ')}.`
}

/** Dead letters are of Millrace: a group of others has none, which is not the same as 0. */
export const lettersText = ({ isManaged, deadLetters }: GroupView): string =>
  !isManaged && deadLetters === 0 ? '—' : count(deadLetters)

/** `6 of 8`; of a group of others Redis knows no leases. */
export const consumersText = ({
  isManaged,
  consumerCounts: { alive, total },
}: GroupView): string => (isManaged ? `${count(alive)} of ${count(total)}` : count(total))

/** `1,204`, `about 50,000`, `≥ 10,000`: unknown is not zero. */
export function lagText({ lag, lagDoubt }: Pick<GroupView, 'lag' | 'lagDoubt'>): string {
  if (lag === null) return `≥ ${count(lagDoubt?.atLeast ?? 0)}`
  return lagDoubt === null ? count(lag) : `about ${count(lag)}`
}

/** What has waited for longer is late. */
const lateMs = 2000

export const isLate = ({ timeLagMs }: Pick<GroupView, 'timeLagMs'>): boolean =>
  (timeLagMs ?? 0) >= lateMs
