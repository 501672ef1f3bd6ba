/**
 * A projection made ready for one stream: its operators as columns, with the positions that the interpreters share. The
 * order of the columns is the order of values in a row of effects (see `lua/parts/effects.lua`).
 */
import type { Column, Reading } from '../operators/column.ts'
import { columnsOf } from '../operators/operators.ts'
import { boundsOf, isEncodedInKeys, type Fields } from './fields.ts'
import { readTemplate } from './key-template.ts'
import type { Projection } from './projection.ts'
import { checkApart, rankingPlans, type RankingPlan } from './ranking.ts'
import type { Stream } from './stream.ts'

/** The key of a hash in parts: a literal before each name and one behind the last. */
interface KeyTemplate {
  readonly literals: readonly string[]
  readonly parts: readonly { readonly name: string; readonly isText: boolean }[]
}

export interface Plan {
  readonly columns: readonly Column[]
  readonly rankings: readonly RankingPlan[]
  readonly key: KeyTemplate
  /** The key of the hash that an entry goes to. */
  readonly keyOf: (values: Readonly<Record<string, number | string>>) => string
}

/**
 * Binds a projection to the stream it folds.
 * @throws {TypeError} when it reads a field that the stream does not declare, or sums what is no integer.
 */
export function planOf(projection: Projection, declared: Stream): Plan {
  const columns = columnsOf(projection.fields)
  for (const reading of columns.flatMap(({ readings }) => readings)) {
    checkReading(projection, declared, reading)
  }
  const key = keyTemplate(projection, declared)
  return {
    columns,
    rankings: rankingPlans(projection.rankings),
    key,
    keyOf: (values) => keyOf(key, values),
  }
}

function checkReading(projection: Projection, declared: Stream, { field, of, as }: Reading): void {
  const source = fieldOf(projection, declared, of)
  if (as === 'text' || boundsOf(source) !== undefined) return
  throw new TypeError(
    `Cannot use projection "${projection.template}": "${field}" needs the integer "${of}", which is text`,
  )
}

function fieldOf(projection: Projection, declared: Stream, name: string): Fields[string] {
  const field = Object.hasOwn(declared.fields, name) ? declared.fields[name] : undefined
  if (field !== undefined) return field
  throw new TypeError(
    `Cannot use projection "${projection.template}": stream "${declared.key}" declares no field "${name}"`,
  )
}

function keyTemplate(projection: Projection, declared: Stream): KeyTemplate {
  const { literals, names } = readTemplate(projection.template)
  const parts = names.map((name) => {
    return { name, isText: isEncodedInKeys(fieldOf(projection, declared, name)) }
  })
  return { literals, parts }
}

function keyOf(
  { literals, parts }: KeyTemplate,
  values: Readonly<Record<string, number | string>>,
): string {
  let key = literals[0] ?? ''
  for (const [at, { name, isText }] of parts.entries()) {
    const value = String(values[name])
    key += (isText ? encodeURIComponent(value) : value) + (literals[at + 1] ?? '')
  }
  return key
}

/**
 * Binds the projections of one consumer or reader.
 * @throws {TypeError} as {@link planOf}, or when two projections share their keys or a ranking.
 */
export function plansOf(projections: readonly Projection[], declared: Stream): Plan[] {
  const shapes = new Set<string>()
  checkApart(projections)
  for (const { template } of projections) {
    // What stands in the braces is no difference: two fields may hold the same value.
    const shape = template.replace(/\{[^{}]+\}/g, '{}')
    if (shapes.has(shape)) {
      throw new TypeError(
        `Cannot use two projections onto "${template}": their keys may meet. Declare their fields in one, or give them different beginnings`,
      )
    }
    shapes.add(shape)
  }
  return projections.map((projection) => planOf(projection, declared))
}
