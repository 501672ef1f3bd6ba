/**
 * The reference interpreter: folds entries one by one in memory, in plain words. It is the oracle of the tests, and
 * what a rebuild compares with; nothing is shared with the other interpreters but what a declaration says and which
 * key it means. So it asks no column to fold: each family of operators says it a second time (`foldPlainly`).
 */
import { foldPlainly, type Operators } from '../operators/operators.ts'
import type { RefusalCode } from '../operators/plainly.ts'
import { planOf, type Plan } from './plan.ts'
import type { Projection } from './projection.ts'
import { memberOf } from './ranking.ts'
import type { Entry, Stream } from './stream.ts'

/** Field to value, as HGETALL shows a hash. */
export type Hash = Map<string, string>

export type { RefusalCode }

export class Reference {
  /** Key to hash. May be filled before the first entry, as a server may be loaded. */
  readonly hashes: Map<string, Hash> = new Map<string, Hash>()
  /** Key to the members of the ranking and their scores. */
  readonly rankings: Map<string, Map<string, number>> = new Map<string, Map<string, number>>()
  readonly #projections: readonly { readonly plan: Plan; readonly fields: Operators }[]
  readonly #declared: Stream

  constructor(declared: Stream, projections: readonly Projection[]) {
    this.#declared = declared
    this.#projections = projections.map((projection) => {
      return { plan: planOf(projection, declared), fields: projection.fields }
    })
  }

  /**
   * Applies one entry to the hashes of all projections, or to none. Returns the code of the first refusal.
   * @throws {TypeError} when it lacks a field that its stream declares.
   */
  apply(entry: Entry): RefusalCode | undefined {
    const values: Readonly<Record<string, unknown>> = entry.values
    const missing = Object.keys(this.#declared.fields).find((name) => values[name] === undefined)
    if (missing !== undefined) {
      throw new TypeError(`Cannot apply entry ${entry.id}: field "${missing}" is missing`)
    }
    const changed = new Map<string, Hash>()
    for (const { plan, fields } of this.#projections) {
      const key = plan.keyOf(entry.values)
      const before: Hash = changed.get(key) ?? this.hashes.get(key) ?? new Map<string, string>()
      const after: Hash = new Map(before)
      const refusal = foldPlainly(fields, { before, after, entry })
      if (refusal !== undefined) return refusal
      changed.set(key, after)
    }
    for (const [key, hash] of changed) this.hashes.set(key, hash)
    for (const { plan } of this.#projections) this.#rank(plan, plan.keyOf(entry.values))
    return undefined
  }

  #rank({ rankings, key: template }: Plan, key: string): void {
    for (const ranking of rankings) {
      const scores = this.rankings.get(ranking.key) ?? new Map<string, number>()
      scores.set(memberOf(template, key), Number(this.hashes.get(key)?.get(ranking.field)))
      this.rankings.set(ranking.key, scores)
    }
  }
}
