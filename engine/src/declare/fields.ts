/** What an entry's fields hold: declared once, checked on append and on decode, and the source of the entry's type. */
import { checkNoMore, isWellFormed } from '../support/option-values.ts'
import { shown } from '../support/shown.ts'

/** A decimal integer without leading zeros, plus sign or spaces; a safe integer in JavaScript. */
export interface IntegerField {
  readonly kind: 'integer'
  /** Inclusive. */
  readonly min: number
  /** Inclusive. */
  readonly max: number
}

/** UTF-8 text. */
export interface TextField {
  readonly kind: 'text'
}

export type Field = IntegerField | TextField

/** Field name to field. */
export type Fields = Readonly<Record<string, Field>>

/** The values of an entry, as its declaration says: `number` for integers, `string` for text. */
export type ValuesOf<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends IntegerField
    ? number
    : F[Name] extends TextField
      ? string
      : number | string
}

/**
 * Declares an integer field.
 * @param min default: the smallest safe integer, -(2^53 - 1)
 * @param max default: the largest safe integer, 2^53 - 1
 * @throws {RangeError} when a bound is no safe integer or the bounds are swapped.
 */
export function integer(
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
  ...rest: readonly never[]
): IntegerField {
  checkNoMore('declare an integer', rest)
  if (areBounds(min, max)) return { kind: 'integer', min, max }
  throw new RangeError(
    `Cannot declare integer(${shown(min)}, ${shown(max)}): bounds are safe integers, the smaller first`,
  )
}

/** Safe integers, the smaller first. */
function areBounds(min: unknown, max: unknown): boolean {
  return Number.isSafeInteger(min) && Number.isSafeInteger(max) && Number(min) <= Number(max)
}

/** Declares a text field. Bytes that are no UTF-8 are refused, and so is U+FFFD, which stands for them. */
export function text(...rest: readonly never[]): TextField {
  checkNoMore('declare a text', rest)
  return { kind: 'text' }
}

interface Given {
  readonly min?: unknown
  readonly max?: unknown
}

const isRight: Readonly<Record<Field['kind'], (given: Given) => boolean>> = {
  text: () => true,
  integer: ({ min, max }) => areBounds(min, max),
}

/** Whether something is a field, where no types have looked at it. */
export function isField(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || !('kind' in given)) return false
  const { kind } = given
  const ask = Object.entries(isRight).find(([known]) => known === kind)?.[1]
  return ask?.(given as Given) ?? false
}

/**
 * Checks a value and returns it as the text that the stream holds.
 * @throws {TypeError} or {RangeError} naming the field.
 */
export function encodeValue(name: string, field: Field, value: unknown): string {
  switch (field.kind) {
    case 'text':
      if (!isWellFormed(value)) throw wrongValue(name, 'well-formed text', value)
      return value
    case 'integer':
      return encodeInteger(name, field, value)
    default:
      throw noKind(field)
  }
}

function encodeInteger(name: string, field: IntegerField, value: unknown): string {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw wrongValue(name, allowed(field), value)
  }
  if (value < field.min || value > field.max) {
    throw new RangeError(`Cannot append: field "${name}" must be ${allowed(field)}, is ${value}`)
  }
  return String(value)
}

/** Of a text nothing is told: an error may be logged where its content may not. */
function wrongValue(name: string, expected: string, value: unknown): TypeError {
  const field = `Cannot append: field "${name}"`
  if (value === undefined) return new TypeError(`${field} is missing: it must be ${expected}`)
  if (typeof value === 'string' && expected === 'well-formed text') {
    return new TypeError(
      `${field} must be ${expected}: it holds half a surrogate pair, or U+FFFD, which stands for lost bytes`,
    )
  }
  return new TypeError(`${field} must be ${expected}, is ${kindOf(value)}`)
}

function kindOf(value: unknown): string {
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'a list' : 'an object'
  return typeof value === 'bigint' ? `${value}n` : String(value)
}

/** Decodes the text of a field; undefined when it is not what the field declares. */
export function decodeValue(field: Field, raw: string): number | string | undefined {
  switch (field.kind) {
    case 'text':
      return raw.includes('\uFFFD') ? undefined : raw
    case 'integer':
      return decodeInteger(field, raw)
    default:
      throw noKind(field)
  }
}

function decodeInteger(field: IntegerField, raw: string): number | undefined {
  const value = Number(raw)
  // Printing it again is the strict syntax check: "05", " 5", "5.0", "0x5" and "-0" differ.
  const isExact = Number.isSafeInteger(value) && String(value) === raw
  return isExact && value >= field.min && value <= field.max ? value : undefined
}

/** What a field allows, for messages. */
export function allowed(field: Field): string {
  const bounds = boundsOf(field)
  if (bounds === undefined) return 'UTF-8 text'
  const { min, max } = bounds
  const isBounded = { below: min > Number.MIN_SAFE_INTEGER, above: max < Number.MAX_SAFE_INTEGER }
  if (isBounded.below && isBounded.above) return `an integer from ${min} to ${max}`
  if (isBounded.below) return `an integer of at least ${min}`
  return isBounded.above ? `an integer of at most ${max}` : 'an integer'
}

/** The bounds of a field that holds a number; undefined for one that holds text. */
export function boundsOf(field: Field): Pick<IntegerField, 'min' | 'max'> | undefined {
  switch (field.kind) {
    case 'integer':
      return field
    case 'text':
      return undefined
    default:
      throw noKind(field)
  }
}

/** Whether the value stands percent-encoded in keys, since it may hold anything. */
export function isEncodedInKeys(field: Field): boolean {
  return boundsOf(field) === undefined
}

/** The compiler lets nothing but a kind that was forgotten come here. */
function noKind(field: never): TypeError {
  return new TypeError(`Cannot use a field of kind ${shown(field)}`)
}
