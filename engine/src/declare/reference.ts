/**
 * The reference interpreter: folds entries one by one in memory, in plain words. It is the oracle of the tests, and
 * what a rebuild compares with; nothing here is shared with the other interpreters but the plan.
 */
import { compareIds, timeOf } from '../support/entry-id.ts'
import { planOf, type Choice, type Extreme, type Plan } from './plan.ts'
import type { Projection } from './projection.ts'
import { memberOf } from './ranking.ts'
import type { Entry, Stream } from './stream.ts'

/** Field to value, as HGETALL shows a hash. */
export type Hash = Map<string, string>

/** Why a hash cannot take an entry. */
export type RefusalCode = 'not-an-integer' | 'overflow' | 'not-an-id'

const int64Max = 2n ** 63n - 1n
const averagedMax = 2n ** 51n

export class Reference {
  /** Key to hash. May be filled before the first entry, as a server may be loaded. */
  readonly hashes: Map<string, Hash> = new Map<string, Hash>()
  /** Key to the members of the ranking and their scores. */
  readonly rankings: Map<string, Map<string, number>> = new Map<string, Map<string, number>>()
  readonly #plans: readonly Plan[]
  readonly #declared: Stream

  constructor(declared: Stream, projections: readonly Projection[]) {
    this.#declared = declared
    this.#plans = projections.map((projection) => planOf(projection, declared))
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
    for (const plan of this.#plans) {
      const key = plan.keyOf(entry.values)
      const hash = changed.get(key) ?? new Map(this.hashes.get(key))
      const refusal = fold(plan, hash, entry)
      if (refusal !== undefined) return refusal
      changed.set(key, hash)
    }
    for (const [key, hash] of changed) this.hashes.set(key, hash)
    for (const plan of this.#plans) this.#rank(plan, plan.keyOf(entry.values))
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

function fold(plan: Plan, hash: Hash, entry: Entry): RefusalCode | undefined {
  const totals = totalsOf(plan, hash, entry)
  if (typeof totals === 'string') return totals
  const refusal =
    plan.extremes
      .map((extreme) => reach(extreme, hash, entry))
      .find((code) => code !== undefined) ??
    plan.choices.map((choice) => choose(choice, hash, entry)).find((code) => code !== undefined)
  if (refusal !== undefined) return refusal
  for (const [at, { field }] of plan.counters.entries()) hash.set(field, String(totals[at]))
  for (const { field, sumAt, countAt } of plan.averages) {
    hash.set(field, String(roundedQuotient(totals[sumAt] ?? 0n, totals[countAt] ?? 0n)))
  }
  return undefined
}

/** What the counters come to, in the order of the plan. */
function totalsOf(plan: Plan, hash: Hash, entry: Entry): bigint[] | RefusalCode {
  const totals: bigint[] = []
  for (const { field, of, isAveraged } of plan.counters) {
    const held = integerOf(hash.get(field))
    if (held === undefined) return 'not-an-integer'
    const total = held + (of === undefined ? 1n : BigInt(entry.values[of] ?? 0))
    const limit = isAveraged ? averagedMax : int64Max
    if (total > limit || total < (isAveraged ? -limit : -limit - 1n)) return 'overflow'
    totals.push(total)
  }
  return totals
}

function reach({ field, kind, of }: Extreme, hash: Hash, entry: Entry): RefusalCode | undefined {
  const value = BigInt(entry.values[of] ?? 0)
  const held = integerOf(hash.get(field) ?? String(value))
  if (held === undefined) return 'not-an-integer'
  if (kind === 'min' ? value <= held : value >= held) hash.set(field, String(value))
  return undefined
}

function choose(choice: Choice, hash: Hash, entry: Entry): RefusalCode | undefined {
  const heldId = hash.get(choice.idField)
  if (heldId !== undefined && !/^\d{1,20}-\d{1,20}$/.test(heldId)) return 'not-an-id'
  const timeField = choice.fields[choice.timeAt]?.field
  const heldTimeText = timeField === undefined ? undefined : hash.get(timeField)
  const heldTime = heldTimeText === undefined ? undefined : integerOf(heldTimeText)
  if (heldTimeText !== undefined && heldTime === undefined) return 'not-an-integer'
  const isLoaded = choice.fields.some(({ field }) => hash.has(field))
  if (!wins(choice.kind, entry.id, heldId, heldTime, isLoaded)) return undefined
  hash.set(choice.idField, entry.id)
  for (const { field, of } of choice.fields) {
    hash.set(field, typeof of === 'string' ? String(entry.values[of]) : timeOf(entry.id))
  }
  return undefined
}

/** Whether an entry replaces what the hash holds: by its id, and by the time that a loaded hash claims for itself. */
function wins(
  kind: 'first' | 'latest',
  id: string,
  heldId: string | undefined,
  heldTime: bigint | undefined,
  isLoaded: boolean,
): boolean {
  const time = BigInt(timeOf(id))
  if (kind === 'latest') {
    if (heldId === undefined) return heldTime === undefined || time > heldTime
    return compareIds(id, heldId) > 0 && (heldTime === undefined || time >= heldTime)
  }
  if (heldId === undefined) return heldTime === undefined ? !isLoaded : time < heldTime
  return compareIds(id, heldId) < 0 && (heldTime === undefined || time <= heldTime)
}

/** The integer that HINCRBY would accept, 0 for a missing field; undefined for anything else. */
function integerOf(held: string | undefined): bigint | undefined {
  if (held === undefined) return 0n
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(held)) return undefined
  const value = BigInt(held)
  return value > int64Max || value < -int64Max - 1n ? undefined : value
}

/** Rounded half up: -0.5 becomes 0, 0.5 becomes 1. */
function roundedQuotient(sum: bigint, count: bigint): bigint {
  if (count === 0n) return 0n
  const [numerator, denominator] = count < 0n ? [-sum, -count] : [sum, count]
  const twice = 2n * numerator + denominator
  const quotient = twice / (2n * denominator)
  return twice % (2n * denominator) < 0n ? quotient - 1n : quotient
}
