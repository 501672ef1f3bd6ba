/**
 * All operators. A new one is a file beside this one, with its family and its columns (`column.ts`), its lines here, and its
 * name in `index.ts`. The reference and the laws ask the family.
 */
import { described } from '../support/shown.ts'
import { averages, type Average } from './average.ts'
import { choices, type Choice } from './choice.ts'
import type { Column, Family } from './column.ts'
import { extremes, type Extreme } from './extreme.ts'
import type { PlainStep, RefusalCode } from './plainly.ts'
import { totals, type Total } from './total.ts'

/** Whose values are integers of the fold. */
type Rankable<Name extends string> = Total<Name> | Extreme<Name> | Average

/** How one field of the hash comes about. `Name`: the fields of the entry that it reads. */
export type Operator<Name extends string = string> = Rankable<Name> | Choice<Name>

/** The kinds whose fields a ranking may follow. */
export type RankableKind = Rankable<string>['kind']

/** Field of the hash to operator. */
export type Operators = Readonly<Record<string, Operator>>

// Their order is that of the columns in a row.
const families: {
  readonly [Kind in Operator['kind']]: Family<Extract<Operator, { readonly kind: Kind }>> & {
    readonly isRankable: Kind extends RankableKind ? true : false
  }
} = {
  count: totals,
  sum: totals,
  min: extremes,
  max: extremes,
  latest: choices,
  first: choices,
  average: averages,
}

const kinds = Object.keys(families) as Operator['kind'][]

function familyOf(operator: Operator): Family<Operator> {
  return families[operator.kind] as unknown as Family<Operator>
}

/** The kinds whose fields a ranking may follow. */
export const rankableKinds: readonly Operator['kind'][] = kinds.filter(
  (kind) => families[kind].isRankable,
)

/**
 * What is wrong with what stands for an operator where no types have looked at it, in words behind the name of its field.
 * @param fields all that stands in the same declaration.
 * @returns undefined when nothing is.
 */
export function operatorProblem(
  operator: unknown,
  fields: Readonly<Record<string, unknown>>,
): string | undefined {
  const given = partsOf(operator)
  const kind = kinds.find((known) => known === given.kind)
  if (kind === undefined) {
    return `is ${described(operator)}, not an operator. Call one: ${kinds.map((known) => `${known}()`).join(', ')}`
  }
  return families[kind].problem(given, (field) =>
    Object.hasOwn(fields, field) ? partsOf(fields[field]).kind : undefined,
  )
}

function partsOf(given: unknown): Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null ? { ...given } : {}
}

/** The columns of a projection, in the order of their values in a row. */
export function columnsOf(fields: Operators): readonly Column[] {
  return byFamily(fields).flatMap(({ family, declared, isOperand }) =>
    family.columnsOf(declared, isOperand),
  )
}

/**
 * Folds one entry into one hash as the reference does, in the order of the columns.
 * @returns the first refusal; what `step.after` holds then is of no use.
 */
export function foldPlainly(fields: Operators, step: PlainStep): RefusalCode | undefined {
  for (const { family, declared, isOperand } of byFamily(fields)) {
    const refusal = family.foldPlainly(step, declared, isOperand)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

/** One operator of each kind, by its kind. @see {@link Family.samples} */
export function samplesOf(number: string, text: string): Operators {
  return Object.assign({}, ...inOrder.map((family) => family.samples(number, text))) as Operators
}

const inOrder = [...new Set(Object.values(families) as Family<Operator>[])]

interface DeclaredFamily {
  readonly family: Family<Operator>
  readonly declared: readonly (readonly [field: string, operator: Operator])[]
  readonly isOperand: (field: string) => boolean
}

function byFamily(fields: Operators): DeclaredFamily[] {
  const all = Object.entries(fields)
  const operands = new Set(all.flatMap(([, operator]) => familyOf(operator).operandsOf(operator)))
  const isOperand = (field: string): boolean => operands.has(field)
  return inOrder.map((family) => {
    return { family, declared: all.filter(([, of]) => familyOf(of) === family), isOperand }
  })
}
