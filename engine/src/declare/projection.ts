/**
 * Projections: declared, order-independent folds of entries onto hashes. A projection is pure data with several
 * interpreters: `reference.ts` in memory, one entry at a time; `apply/fold.ts` with `lua/parts/effects.lua` where entries are pulled;
 * and `apply/compile-fold.ts` where they are pushed down. What they ask of each operator stands in `operators/`.
 */
import { operatorProblem, type Operator, type Operators } from '../operators/operators.ts'
import { checkKnown } from '../support/known-options.ts'
import { templateProblem } from './key-template.ts'
import { checkRankings, type RankableField, type Rankings } from './ranking.ts'

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
  const problem = operatorProblem(operator, fields)
  if (problem !== undefined) throw refused(`field "${field}" ${problem}`)
}
