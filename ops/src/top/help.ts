import { cut, fit } from '../terminal/fit.ts'
import { helpKeys } from './keys.ts'

/** Of columns that do not say by their names what they hold. */
const meanings: readonly (readonly [name: string, means: string])[] = [
  ['TIME LAG', 'age of the oldest entry that nobody has taken'],
  ['LAG', 'entries that nobody has taken; >= where more is not known'],
  ['PENDING', 'delivered and not acknowledged'],
  ['OLDEST', 'age of the oldest pending entry'],
  ['HELD FOR', 'since the last delivery; parked: waits for the next sweep'],
  ['IN/S, DONE/S', 'entries a second; - until there were two looks, or nobody counts'],
  ['CLEAR IN', 'until nothing waits, if it goes on so'],
  ['ALIVE', 'consumers with a lease, of all; ? where they are not of Millrace'],
  ['LEASE', 'how long it runs; with a minus: since when it is over'],
]

const states: readonly (readonly [name: string, means: string])[] = [
  ['nobody', 'something waits, and no consumer lives'],
  ['stuck', 'something waits, and nothing is taken'],
  ['falling-behind', 'what waits gets more'],
  ['behind', 'it has waited for long'],
  ['catching-up', 'it has waited for long, and gets less'],
]

const nameWidth = 18

/** The help as lines. */
export function helpLines(width: number): string[] {
  const line = ([name, text]: readonly [string, string]): string =>
    cut(`  ${fit(name, nameWidth)}${text}`, width)
  return [
    'Keys',
    ...helpKeys.map(line),
    '',
    'States of groups, the worst first',
    ...states.map(line),
    '',
    'Columns',
    ...meanings.map(line),
    '',
    cut('Looking changes nothing: no key writes to Redis.', width),
  ]
}
