/** What the records of a data folder must hold. */
import type { CheckinModel } from '../domain/checkins.ts'

/** A record of a file, checked. All its fields go into Redis as text. */
export type LoadedRecord = Readonly<Record<string, string | number | boolean>>

/** Says what is wrong with a record, or undefined. Records are given in the order of the file. */
export type Check = (record: unknown) => string | undefined

interface IntegerRule {
  readonly field: string
  readonly min: number
  /** Default: 2^53 - 1. */
  readonly max?: number
}

const idRule = { field: 'id', min: 1 }

/** Makes the check of users: the fields that check-ins change, and ids that stand once. */
export function userCheck(): Check {
  return checkOfHashes([
    idRule,
    { field: 'numCheckins', min: 0 },
    { field: 'lastCheckin', min: 0 },
    { field: 'lastSeenAt', min: 1 },
  ])
}

/** Makes the check of locations: the fields that check-ins change, and ids that stand once. */
export function locationCheck(): Check {
  return checkOfHashes([
    idRule,
    { field: 'numCheckins', min: 0 },
    { field: 'numStars', min: 0 },
    { field: 'averageStars', min: 0 },
  ])
}

/** Makes the check of check-ins: the fields that the stream declares, and ids in strictly increasing order. */
export function checkinCheck({ checkins }: CheckinModel): Check {
  const rules = Object.entries(checkins.fields).map(([field, { min, max }]) => ({
    field,
    min,
    max,
  }))
  let previous: EntryId = { time: 0, sequence: 0, text: '0-0' }
  return (record) => {
    const problem = fieldsProblem(record, rules)
    if (problem !== undefined) return problem
    const text = (record as LoadedRecord).id
    const id = entryId(text)
    if (id === undefined) {
      return wrong('id', text, 'an entry id like "1740790744731-0"')
    }
    if (!isAfter(id, previous)) return wrong('id', text, `an id after ${previous.text}`)
    previous = id
    return undefined
  }
}

function checkOfHashes(rules: readonly IntegerRule[]): Check {
  const ids = new Set<unknown>()
  return (record) => {
    const problem = fieldsProblem(record, rules)
    if (problem !== undefined) return problem
    const { id } = record as LoadedRecord
    if (ids.has(id)) return wrong('id', id, 'an id that stands once in the file')
    ids.add(id)
    return undefined
  }
}

function fieldsProblem(record: unknown, rules: readonly IntegerRule[]): string | undefined {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return `it is ${shown(record)}; expected an object`
  }
  const values = record as Readonly<Record<string, unknown>>
  for (const rule of rules) {
    const value = Object.hasOwn(values, rule.field) ? values[rule.field] : undefined
    const { field, min, max = Number.MAX_SAFE_INTEGER } = rule
    const isRight = Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
    if (!isRight) return wrong(field, value, allowed(rule))
  }
  for (const [field, value] of Object.entries(values)) {
    const expected = expectedOf(field, value)
    if (expected !== undefined) return wrong(field, value, expected)
  }
  return undefined
}

/** What is expected of a field that is kept as it is; undefined when it can be kept. */
function expectedOf(field: string, value: unknown): string | undefined {
  // The engine keeps fields of its own beside the loaded ones.
  if (field.startsWith('@'))
    return 'no field whose name begins with "@"; those are kept for Millrace'
  if (typeof value === 'boolean') return undefined
  if (typeof value === 'number') {
    const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
    return isExact ? undefined : 'a number up to 2^53 - 1; write a larger one as text'
  }
  // Half of a surrogate pair has no UTF-8 form: Redis would hold something else.
  if (typeof value === 'string' && !/\p{Surrogate}/u.test(field + value)) return undefined
  return 'a text, a number, true or false'
}

interface EntryId {
  readonly time: number
  readonly sequence: number
  readonly text: string
}

const idPattern = /^(0|[1-9][0-9]*)-(0|[1-9][0-9]*)$/

function entryId(text: unknown): EntryId | undefined {
  if (typeof text !== 'string') return undefined
  const [, time, sequence] = (idPattern.exec(text) ?? []).map(Number)
  if (!Number.isSafeInteger(time) || !Number.isSafeInteger(sequence)) return undefined
  return { time: Number(time), sequence: Number(sequence), text }
}

function isAfter(id: EntryId, other: EntryId): boolean {
  return id.time > other.time || (id.time === other.time && id.sequence > other.sequence)
}

function allowed({ min, max }: IntegerRule): string {
  const isBounded = max !== undefined && max !== Number.MAX_SAFE_INTEGER
  return isBounded ? `an integer from ${min} to ${max}` : `an integer of at least ${min}`
}

function wrong(field: string, value: unknown, expected: string): string {
  const state = value === undefined ? 'is missing' : `is ${shown(value)}`
  return `field ${shown(field)} ${state}; expected ${expected}`
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
