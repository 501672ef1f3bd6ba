/**
 * A projection made ready for one stream: its operators sorted by the way they are folded, with the positions that
 * the interpreters share. The order of a plan is the order of values in a row of effects (see `lua/parts/effects.lua`).
 */
import type { Fields } from './fields.ts'
import { readTemplate } from './key-template.ts'
import type { Operator, Projection, Source } from './projection.ts'
import { checkApart, rankingPlans, type RankingPlan } from './ranking.ts'
import type { Stream } from './stream.ts'

/** A `count` (of undefined) or `sum`. */
interface Counter {
  readonly field: string
  readonly of: string | undefined
  /** An average reads it, so it stays within ±2^51. */
  readonly isAveraged: boolean
}

/** A `min` or `max`. */
export interface Extreme {
  readonly field: string
  readonly kind: 'min' | 'max'
  readonly of: string
}

/** The fields under `first` or `latest`: one entry gives the value of them all. */
export interface Choice {
  readonly kind: 'first' | 'latest'
  /** Field of the hash that keeps the id of the chosen entry: `@first` or `@latest`. */
  readonly idField: string
  readonly fields: readonly { readonly field: string; readonly of: Source }[]
  /** Position in `fields` of the one that holds the entry's time; -1 when there is none. */
  readonly timeAt: number
}

/** The key of a hash in parts: a literal before each name and one behind the last. */
interface KeyTemplate {
  readonly literals: readonly string[]
  readonly parts: readonly { readonly name: string; readonly isText: boolean }[]
}

interface Average {
  readonly field: string
  /** Positions in `counters`. */
  readonly sumAt: number
  readonly countAt: number
}

export interface Plan {
  readonly counters: readonly Counter[]
  readonly extremes: readonly Extreme[]
  readonly choices: readonly Choice[]
  readonly averages: readonly Average[]
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
  const operators = Object.entries(projection.fields)
  for (const [field, operator] of operators) checkOperator(projection, declared, field, operator)
  const averaged = new Set<string>()
  for (const [, operator] of operators) {
    if (operator.kind === 'average') averaged.add(operator.sum).add(operator.count)
  }
  const counters = operators.flatMap(([field, operator]) =>
    operator.kind === 'count' || operator.kind === 'sum'
      ? [
          {
            field,
            of: operator.kind === 'sum' ? operator.of : undefined,
            isAveraged: averaged.has(field),
          },
        ]
      : [],
  )
  const key = keyTemplate(projection, declared)
  const counterAt = (field: string): number =>
    counters.findIndex((counter) => counter.field === field)
  const extremes = operators.flatMap(([field, operator]) =>
    operator.kind === 'min' || operator.kind === 'max'
      ? [{ field, kind: operator.kind, of: operator.of }]
      : [],
  )
  const averages = operators.flatMap(([field, operator]) =>
    operator.kind === 'average'
      ? [{ field, sumAt: counterAt(operator.sum), countAt: counterAt(operator.count) }]
      : [],
  )
  return {
    counters,
    extremes,
    choices: [...choiceOf('latest', operators), ...choiceOf('first', operators)],
    averages,
    rankings: rankingPlans(projection.rankings, { counters, extremes, averages }),
    key,
    keyOf: (values) => keyOf(key, values),
  }
}

function choiceOf(kind: 'first' | 'latest', operators: [string, Operator][]): Choice[] {
  const fields = operators.flatMap(([field, operator]) =>
    operator.kind === kind ? [{ field, of: operator.of }] : [],
  )
  if (fields.length === 0) return []
  const timeAt = fields.findIndex(({ of }) => typeof of !== 'string')
  return [{ kind, idField: `@${kind}`, fields, timeAt }]
}

function checkOperator(
  projection: Projection,
  declared: Stream,
  field: string,
  operator: Operator,
): void {
  if (!('of' in operator) || typeof operator.of !== 'string') return
  const source = fieldOf(projection, declared, operator.of)
  const isNumeric = operator.kind !== 'first' && operator.kind !== 'latest'
  if (isNumeric && source.kind !== 'integer') {
    throw new TypeError(
      `Cannot use projection "${projection.template}": "${field}" needs the integer "${operator.of}", which is text`,
    )
  }
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
    return { name, isText: fieldOf(projection, declared, name).kind === 'text' }
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
