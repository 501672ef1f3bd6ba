/**
 * Projections: declared, order-independent folds of entries onto hashes. A projection is pure data with several
 * interpreters: `reference.ts` in memory, `fold.ts` with `lua/parts/effects.lua` for consumers.
 */
import { templateProblem } from './key-template.ts'
import { checkKnown } from '../support/known-options.ts'
import { operatorProblem } from './operator-problem.ts'
import { checkRankings, type RankableField, type Rankings } from './ranking.ts'

/** The time of an entry: the milliseconds of its id. */
interface EntryTime {
  readonly kind: 'entry-time'
}

/** Where an operator takes its value from: the name of a field, or the entry's time. */
export type Source<Name extends string = string> = Name | EntryTime

/** How one field of the hash comes about. `Name`: the fields of the entry that it reads. */
export type Operator<Name extends string = string> =
  | { readonly kind: 'count' }
  | { readonly kind: 'sum' | 'min' | 'max'; readonly of: Name }
  | { readonly kind: 'first' | 'latest'; readonly of: Source<Name> }
  | { readonly kind: 'average'; readonly sum: string; readonly count: string }

export type Operators = Readonly<Record<string, Operator>>

/** A declared projection. `Name`: the fields of the entry that it reads. */
export interface Projection<Name extends string = string> {
  /** Key of the hash, with `{field}` where the entry's value stands. */
  readonly template: string
  /** Hash field to operator. */
  readonly fields: Readonly<Record<string, Operator<Name>>>
  /** Ranked field of the hash to the key of its ranking, a sorted set. */
  readonly rankings: Rankings
}

export interface ProjectionOptions<RankedField extends string = string> {
  /**
   * Field of the hash (`count`, `sum`, `average`, `min`, `max`) to the key of a sorted set that ranks the hashes by it;
   * default: none. The key is taken as it is, without fields; on a cluster it carries the hash tag of the hashes.
   * The member is the part of the hash's key from its first field to its last: for `users:{userId}` the user id.
   * The score is the field's value, as the nearest number that a sorted set can hold: beyond ±2^53 neighbours may tie.
   */
  readonly rankings?: Partial<Rankings<RankedField>>
}

/** The number of entries. */
export const count = (): { readonly kind: 'count' } => ({ kind: 'count' })

/** The sum of an integer field. */
export const sum = <Name extends string>(
  of: Name,
): { readonly kind: 'sum'; readonly of: Name } => ({
  kind: 'sum',
  of,
})

/** The smallest value of an integer field. */
export const min = <Name extends string>(
  of: Name,
): { readonly kind: 'min'; readonly of: Name } => ({
  kind: 'min',
  of,
})

/** The largest value of an integer field. */
export const max = <Name extends string>(
  of: Name,
): { readonly kind: 'max'; readonly of: Name } => ({
  kind: 'max',
  of,
})

/**
 * The value of the entry with the smallest id. All `first` fields of a projection move together. A hash that was
 * loaded before its first entry keeps its values, unless one of them is `first(entryTime())` and says that they are
 * younger than the entry.
 */
export const first = <const S extends Source>(
  of: S,
): { readonly kind: 'first'; readonly of: S } => ({
  kind: 'first',
  of,
})

/**
 * The value of the entry with the largest id. All `latest` fields of a projection move together. A hash that was
 * loaded before its first entry loses its values to any entry, unless one of them is `latest(entryTime())`: then only
 * an entry of a later millisecond replaces them.
 */
export const latest = <const S extends Source>(
  of: S,
): { readonly kind: 'latest'; readonly of: S } => ({
  kind: 'latest',
  of,
})

/**
 * `sum` divided by `count`, two fields of the same hash (by `count` or `sum`), rounded half up; 0 when the divisor is 0.
 * Both stay within ±2^51, so that the quotient is exact; an entry that would lead further is refused.
 */
export const average = (
  sumField: string,
  countField: string,
): { readonly kind: 'average'; readonly sum: string; readonly count: string } => ({
  kind: 'average',
  sum: sumField,
  count: countField,
})

/** The time of the entry in milliseconds, for `first` and `latest`. */
export const entryTime = (): EntryTime => ({ kind: 'entry-time' })

type NamesInTemplate<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? NamesInTemplate<Rest> | (Name extends `{${string}` ? never : Name)
  : never

type NamesInOperators<O extends Operators> = {
  [Field in keyof O]: O[Field] extends { readonly of: infer S } ? Extract<S, string> : never
}[keyof O]

/**
 * Declares a projection.
 * @param template key of the hash, like `users:{userId}`. An integer stands as it is; text is percent-encoded
 *   (`encodeURIComponent`), so that two values never share a key and none leaves its cluster slot.
 *   A doubled brace, `{{tag}}`, is the brace itself: a cluster's hash tag.
 * @param fields field of the hash to operator; names that begin with `@` are the engine's own
 * @param options rankings by fields of the hash
 * @throws {TypeError} when the declaration is wrong.
 */
export function projection<const T extends string, const O extends Operators>(
  template: T,
  fields: O,
  options: ProjectionOptions<RankableField<O>> = {},
): Projection<NamesInTemplate<T> | NamesInOperators<O>> {
  checkFields(template, fields)
  checkKnown(`declare projection "${template}"`, options, { rankings: true })
  const rankings = (options.rankings ?? {}) as Rankings
  checkRankings(template, fields, rankings)
  return { template, fields, rankings } as unknown as Projection<
    NamesInTemplate<T> | NamesInOperators<O>
  >
}

function checkFields(template: string, fields: Operators): void {
  const wrong = templateProblem(template)
  if (wrong !== undefined) throw new TypeError(`Cannot declare projection "${template}": ${wrong}`)
  // Without types anything can be given.
  if (typeof (fields as unknown) !== 'object' || Object.keys(fields).length === 0) {
    throw new TypeError(`Cannot declare projection "${template}": it has no fields`)
  }
  for (const [field, operator] of Object.entries(fields))
    checkField(template, fields, field, operator)
}

function checkField(template: string, fields: Operators, field: string, operator: Operator): void {
  const refused = (what: string): TypeError =>
    new TypeError(`Cannot declare projection "${template}": ${what}`)
  if (field === '' || field.startsWith('@')) throw refused(`field "${field}" is not a name`)
  const problem = operatorProblem(operator)
  if (problem !== undefined) throw refused(`field "${field}" ${problem}`)
  if (operator.kind !== 'average') return
  for (const operand of [operator.sum, operator.count]) {
    const kind = Object.hasOwn(fields, operand) ? fields[operand]?.kind : undefined
    if (kind !== 'count' && kind !== 'sum') {
      throw refused(`"${field}" averages "${operand}", which is no count or sum here`)
    }
  }
}
