import type { Operator } from 'millrace'
import { samplesOf } from '../../src/operators/operators.ts'

/**
 * One operator of each kind, in a field of the kind's name: what the laws hold for. Each family brings its own, so none goes without them.
 * @param number an integer field of the entry
 * @param text a text field of it
 */
export function oneOfEach<Name extends string>(
  number: Name,
  text: Name,
): Readonly<Record<string, Operator<Name>>> {
  return samplesOf(number, text) as Readonly<Record<string, Operator<Name>>>
}
