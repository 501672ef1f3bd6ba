/** How a consumer does, in a word with a shape. */
import type { Shape } from '../../../src/console/condition.ts'
import type { ConsumerSnapshot, GroupView } from '../../../src/console/wire.ts'
import { span } from './format.ts'

type Known = Pick<ConsumerSnapshot, 'state' | 'pause' | 'pending' | 'leaseLeftMs' | 'idleMs'>
type OfGroup = Pick<GroupView, 'isManaged' | 'pause'>

/** `Gone 40.2 s`, `Paused`, `Working`, `Stopped`, `Not there`; of a foreign group: `Seen`, as Redis knows no more. */
export function consumerWord({ state, pause, leaseLeftMs }: Known, group: OfGroup): string {
  if (state === 'expired')
    return leaseLeftMs === null ? 'Gone' : `Gone ${span(Math.max(0, -leaseLeftMs))}`
  if (pause !== null || (group.pause !== null && state === 'alive')) return 'Paused'
  if (state === 'alive') return 'Working'
  if (state === 'absent') return 'Not there'
  return group.isManaged ? 'Stopped' : 'Seen'
}

export function consumerShape(consumer: Known, group: OfGroup): Shape {
  const { state, pause, pending } = consumer
  if (state === 'expired') return pending > 0 ? 'bad' : 'warn'
  if (pause !== null || group.pause !== null) return 'off'
  if (state === 'alive') return 'ok'
  return pending > 0 ? 'warn' : 'unknown'
}

const rank = ({ state, pause, pending }: ConsumerSnapshot): number =>
  state === 'expired' ? (pending > 0 ? 0 : 3) : pause !== null ? 1 : state === 'alive' ? 2 : 4

/** Gone ones that hold something, with the most first; paused ones; those that work; the rest. */
export function worstConsumersFirst(a: ConsumerSnapshot, b: ConsumerSnapshot): number {
  const isGone = a.state === 'expired' && b.state === 'expired'
  return rank(a) - rank(b) || (isGone ? b.pending - a.pending : 0) || (a.name < b.name ? -1 : 1)
}
