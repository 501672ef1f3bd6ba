/**
 * The reference interpreter: folds entries one by one in memory, in plain words. It is the oracle of the tests, and
 * what a rebuild compares with; nothing here is shared with the other interpreters but what a declaration says and which
 * key it means. So it asks no operator to fold: each is written here a second time.
 */
import type { Operator, Operators } from '../operators/operators.ts'
import { compareIds, timeOf } from '../support/entry-id.ts'
import { planOf, type Plan } from './plan.ts'
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
      const folded = fold(fields, changed.get(key) ?? this.hashes.get(key) ?? new Map(), entry)
      if (typeof folded === 'string') return folded
      changed.set(key, folded)
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

/** One entry on its way into one hash. */
interface Step {
  readonly fields: Operators
  readonly before: ReadonlyMap<string, string>
  readonly after: Hash
  readonly entry: Entry
}

/** Operators of a larger number are folded later: of several refusals the first is told, and an average reads totals. */
const turns: Readonly<Record<Operator['kind'], number>> = {
  count: 0,
  sum: 0,
  min: 1,
  max: 1,
  latest: 2,
  first: 3,
  average: 4,
}

function fold(
  fields: Operators,
  before: ReadonlyMap<string, string>,
  entry: Entry,
): Hash | RefusalCode {
  const step = { fields, before, after: new Map(before), entry }
  const inTurn = Object.entries(fields).sort(([, a], [, b]) => turns[a.kind] - turns[b.kind])
  for (const [field, operator] of inTurn) {
    const refusal = foldField(step, field, operator)
    if (refusal !== undefined) return refusal
  }
  return step.after
}

function foldField(step: Step, field: string, operator: Operator): RefusalCode | undefined {
  switch (operator.kind) {
    case 'count':
      return add(step, field, 1n)
    case 'sum':
      return add(step, field, integerIn(step.entry, operator.of))
    case 'min':
    case 'max':
      return reach(step, field, operator.kind, integerIn(step.entry, operator.of))
    case 'first':
    case 'latest':
      return choose(step, field, operator)
    case 'average': {
      const [total, divisor] = [operator.sum, operator.count].map((of) => step.after.get(of))
      step.after.set(field, String(roundedQuotient(BigInt(total ?? 0), BigInt(divisor ?? 0))))
      return undefined
    }
    default:
      throw new TypeError(`No operator: ${JSON.stringify(operator satisfies never)}`)
  }
}

function integerIn(entry: Entry, name: string): bigint {
  return BigInt(entry.values[name] ?? 0)
}

function add(
  { fields, before, after }: Step,
  field: string,
  amount: bigint,
): RefusalCode | undefined {
  const held = integerOf(before.get(field))
  if (held === undefined) return 'not-an-integer'
  const total = held + amount
  const isAveraged = Object.values(fields).some((other) => {
    return other.kind === 'average' && (other.sum === field || other.count === field)
  })
  const limit = isAveraged ? averagedMax : int64Max
  if (total > limit || total < (isAveraged ? -limit : -limit - 1n)) return 'overflow'
  after.set(field, String(total))
  return undefined
}

function reach(
  { before, after }: Step,
  field: string,
  kind: 'min' | 'max',
  value: bigint,
): RefusalCode | undefined {
  const held = integerOf(before.get(field) ?? String(value))
  if (held === undefined) return 'not-an-integer'
  if (kind === 'min' ? value <= held : value >= held) after.set(field, String(value))
  return undefined
}

/** All fields under one choice ask the same hash, as it was before, so they come to the same answer. */
function choose(
  { fields, before, after, entry }: Step,
  field: string,
  { kind, of }: Extract<Operator, { kind: 'first' | 'latest' }>,
): RefusalCode | undefined {
  const idField = `@${kind}`
  const heldId = before.get(idField)
  if (heldId !== undefined && !/^\d{1,20}-\d{1,20}$/.test(heldId)) return 'not-an-id'
  const others = Object.entries(fields).filter(([, other]) => other.kind === kind)
  const timeField = others.find(([, other]) => 'of' in other && typeof other.of !== 'string')?.[0]
  const heldTimeText = timeField === undefined ? undefined : before.get(timeField)
  const heldTime = heldTimeText === undefined ? undefined : integerOf(heldTimeText)
  if (heldTimeText !== undefined && heldTime === undefined) return 'not-an-integer'
  const isLoaded = others.some(([name]) => before.has(name))
  if (!wins(kind, entry.id, heldId, heldTime, isLoaded)) return undefined
  after.set(idField, entry.id)
  after.set(field, typeof of === 'string' ? String(entry.values[of]) : timeOf(entry.id))
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
