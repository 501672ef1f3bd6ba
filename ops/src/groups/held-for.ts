import { duration } from '../terminal/words.ts'
import type { PendingEntry } from './pending-entry.ts'

/** Names under which the engine only parks entries, until a living consumer takes them. */
const parking = ['unassigned', 'redrive', 'retry']

export const isParking = (consumer: string): boolean => parking.includes(consumer)

/** Since when it is with its consumer. What is parked is made to look old, so that it is taken at once: that is no time. */
export const heldFor = ({ consumer, idleMs }: PendingEntry): string =>
  isParking(consumer) ? 'parked' : duration(idleMs)
