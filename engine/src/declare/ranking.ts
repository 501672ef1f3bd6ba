/**
 * Rankings: sorted sets that follow an integer field of a projection's hashes. The score is the field's final value, so
 * it depends on no order, and it is written in the same script as the hash: a ranking says what the hashes say.
 */
import { rankableKinds, type Operators, type RankableKind } from '../operators/operators.ts'
import { readTemplate } from './key-template.ts'

/** The fields of a projection that can be ranked: those that hold an integer of the fold. */
export type RankableField<O extends Operators> = {
  [Field in keyof O]: O[Field]['kind'] extends RankableKind ? Field : never
}[keyof O] &
  string

/** Field of the hash to the key of the sorted set that ranks by it. */
export type Rankings<Field extends string = string> = Readonly<Record<Field, string>>

/** One ranking: its key, and the field of the hashes that it follows. */
export interface RankingPlan {
  readonly key: string
  readonly field: string
}

/** @throws {TypeError} when a ranking cannot be kept. */
export function checkRankings(template: string, fields: Operators, rankings: Rankings): void {
  const problem = (what: string): TypeError =>
    new TypeError(`Cannot declare projection "${template}": ${what}`)
  const keys = new Set<string>()
  for (const [field, key] of Object.entries(rankings)) {
    const kind = Object.hasOwn(fields, field) ? fields[field]?.kind : undefined
    if (!rankableKinds.some((rankable) => rankable === kind)) {
      throw problem(`it ranks by "${field}", which is no ${rankableKinds.join(', ')} here`)
    }
    if (typeof key !== 'string' || key === '') {
      throw problem(`the ranking by "${field}" has no key`)
    }
    if (hasFields(template, key)) {
      throw problem(
        `the key "${key}" of the ranking by "${field}" has braces: it takes no fields. Only the hash tag of the hashes may stand in it`,
      )
    }
    if (keys.has(key)) throw problem(`two rankings have the key "${key}"`)
    keys.add(key)
  }
  if (keys.size > 0 && readTemplate(template).names.length === 0) {
    throw problem('it ranks a single hash. Put a field into its key')
  }
}

/** Whether a key has braces other than those of the hash tag that the hashes have. */
function hasFields(template: string, key: string): boolean {
  const [tag] = /\{[^{}]+\}/.exec(readTemplate(template).literals[0] ?? '') ?? []
  return /[{}]/.test(tag === undefined ? key : key.replace(tag, ''))
}

/** @throws {TypeError} when two projections write the same ranking: their members may meet. */
export function checkApart(projections: readonly { readonly rankings: Rankings }[]): void {
  const keys = new Set<string>()
  for (const key of projections.flatMap(({ rankings }) => Object.values(rankings))) {
    if (keys.has(key)) {
      throw new TypeError(
        `Cannot use two projections with the ranking "${key}": give each one of its own`,
      )
    }
    keys.add(key)
  }
}

/** The keys of all rankings of some plans. */
export const rankingKeys = (
  plans: readonly { readonly rankings: readonly RankingPlan[] }[],
): string[] => plans.flatMap(({ rankings }) => rankings.map(({ key }) => key))

export function rankingPlans(rankings: Rankings): RankingPlan[] {
  return Object.entries(rankings).map(([field, key]) => ({ key, field }))
}

/** The literals of a key template; see `KeyTemplate` of `plan.ts`. */
interface Template {
  readonly literals: readonly string[]
}

/**
 * The member of a hash in the rankings of its projection: the part of its key from the first field to the last, so that no
 * two hashes share one. For `users:{userId}` it is the user id.
 */
export function memberOf({ literals }: Template, key: string): string {
  return key.slice(literals[0]?.length, key.length - (literals.at(-1)?.length ?? 0))
}

/** The key of the hash with this member. */
export function keyOfMember({ literals }: Template, member: string): string {
  return `${literals[0] ?? ''}${member}${literals.at(-1) ?? ''}`
}

/** Where the member stands in a key, as `string.sub` of Lua takes it: bytes count. */
export function memberRange({ literals }: Template): readonly [from: number, to: number] {
  const size = (literal: string | undefined): number => Buffer.byteLength(literal ?? '')
  return [size(literals[0]) + 1, -size(literals.at(-1)) - 1]
}
