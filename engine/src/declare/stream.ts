import {
  allowed,
  boundsOf,
  decodeValue,
  encodeValue,
  isField,
  type Field,
  type Fields,
  type ValuesOf,
} from './fields.ts'
import {
  anObject,
  checkNoMore,
  checkValue,
  isWellFormed,
  nonEmpty,
  required,
} from '../support/option-values.ts'
import { described } from '../support/shown.ts'

/** A declared stream: its key and what its entries hold. Pure data; `Millrace` does things with it. */
export interface Stream<F extends Fields = Fields> {
  readonly key: string
  readonly fields: F
}

/** One entry, decoded. */
export interface Entry<F extends Fields = Fields> {
  /** The entry id, like `1609602085397-0`. */
  readonly id: string
  /** The declared fields. */
  readonly values: ValuesOf<F>
  /** Fields that the declaration does not know, in the order of the entry; undefined when there are none. */
  readonly unknown: readonly (readonly [name: string, value: string])[] | undefined
}

/** The entries of a declared stream: `EntryOf<typeof visits>`. */
export type EntryOf<S extends Stream> = Entry<S['fields']>

/** Why an entry cannot be decoded. */
export interface DecodeFailure {
  readonly id: string
  /** Names the field and what it should hold; of its content nothing but digits. */
  readonly problem: string
}

/**
 * Declares a stream.
 * @param key of the stream in Redis
 * @param fields what each entry must hold; an entry may hold more, which is kept and ignored
 * @throws {TypeError} when key or a field name is empty, or no field is declared.
 */
export function stream<const F extends Fields>(
  key: string,
  fields: F,
  ...rest: readonly never[]
): Stream<F> {
  if (key === '') throw new TypeError('Cannot declare a stream: its key is empty')
  checkValue('declare a stream', 'key', key, required(nonEmpty))
  const action = `declare stream "${key}"`
  checkNoMore(action, rest)
  checkValue(action, 'fields', fields, required(anObject))
  const names = Object.keys(fields)
  if (names.length === 0 || names.includes('')) {
    throw new TypeError(`Cannot declare stream "${key}": it needs fields, and their names`)
  }
  for (const [name, field] of Object.entries<unknown>(fields)) {
    if (!isWellFormed(name)) {
      throw new TypeError(`Cannot ${action}: ${JSON.stringify(name)} is no well-formed name`)
    }
    if (isField(field)) continue
    throw new TypeError(
      `Cannot declare stream "${key}": field "${name}" is ${described(field)}, not a field. Call integer() or text()`,
    )
  }
  return { key, fields }
}

/** @throws {TypeError} for what {@link stream} does not return: its key would be none. */
export function checkStream(action: string, declared: unknown): void {
  const { key, fields } = (declared ?? {}) as Partial<Stream>
  if (typeof key === 'string' && typeof fields === 'object') return
  throw new TypeError(
    `Cannot ${action}: the stream is ${described(declared)}, and allowed is what stream() returns`,
  )
}

/** Fields beyond the declared ones: kept in the entry and in its dead letter, and otherwise ignored. */
export type ExtraFields = Readonly<Record<string, string>>

/**
 * Turns the values of an entry into the arguments of XADD.
 * @param extra come after the declared fields.
 * @throws {TypeError} or {RangeError} naming the field that is missing or wrong, not declared, or both declared and extra.
 */
export function encodeEntry<F extends Fields>(
  declared: Stream<F>,
  values: ValuesOf<F>,
  extra?: ExtraFields,
): string[] {
  checkDeclared(declared, values)
  const args: string[] = []
  for (const [name, field] of Object.entries(declared.fields)) {
    args.push(name, encodeValue(name, field, values[name]))
  }
  if (extra === undefined) return args
  checkExtra(declared, extra)
  for (const [name, value] of Object.entries(extra)) args.push(name, value)
  return args
}

/** What is not declared would be lost without a word. @throws {TypeError} naming a value that has no field. */
export function checkDeclared(declared: Stream, values: Readonly<Record<string, unknown>>): void {
  if (typeof values !== 'object' || (values as unknown) === null) {
    throw new TypeError(`Cannot append to stream "${declared.key}": its values are an object`)
  }
  for (const name of Object.keys(values)) {
    if (Object.hasOwn(declared.fields, name) || values[name] === undefined) continue
    throw new TypeError(
      `Cannot encode field "${name}": stream "${declared.key}" does not declare it. Declare it, or append it as an extra field`,
    )
  }
}

/** @throws {TypeError} naming a field that is both declared and extra, or no text. */
export function checkExtra(declared: Stream, extra: ExtraFields): void {
  checkValue(`append to stream "${declared.key}"`, 'extra', extra, anObject)
  for (const [name, value] of Object.entries(extra)) {
    if (Object.hasOwn(declared.fields, name)) {
      throw new TypeError(
        `Cannot encode extra field "${name}": stream "${declared.key}" declares it`,
      )
    }
    // What it holds is told to nobody.
    if (isWellFormed(name) && isWellFormed(value)) continue
    throw new TypeError(
      `Cannot encode extra field ${JSON.stringify(name)}: it must be well-formed text`,
    )
  }
}

/** Decodes entries of one stream. Made once and used for many, since it looks up the declaration only once. */
export class Decoder<F extends Fields> {
  readonly #names: readonly string[]
  readonly #fields: F

  constructor(declared: Stream<F>) {
    this.#fields = declared.fields
    this.#names = Object.keys(declared.fields)
  }

  /** @param flat names and values in turn, as XRANGE returns them. */
  decode(id: string, flat: readonly string[]): Entry<F> | DecodeFailure {
    const values: Record<string, number | string> = Object.create(null) as Record<string, never>
    let found = 0
    let unknown: [string, string][] | undefined
    for (let at = 0; at < flat.length; at += 2) {
      const name = flat[at] ?? ''
      const raw = flat[at + 1] ?? ''
      const field = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
      if (field === undefined) {
        unknown ??= []
        unknown.push([name, raw])
        continue
      }
      if (values[name] !== undefined) return { id, problem: decodeProblems(name, field).twice }
      const value = decodeValue(field, raw)
      if (value === undefined) return { id, problem: wrongText(name, field, raw) }
      values[name] = value
      found += 1
    }
    if (found < this.#names.length) {
      const missing = this.#names.filter((name) => values[name] === undefined)
      return { id, problem: missingText(missing) }
    }
    return { id, values: values as ValuesOf<F>, unknown }
  }
}

/**
 * What can be wrong with a field of an entry, in words. `wrongNumber`: of a text that is digits and no longer than a number
 * of 64 bits; the text follows. Nothing else of an entry is ever told.
 */
export function decodeProblems(
  name: string,
  field: Field,
): { readonly wrong: string; readonly wrongNumber: string; readonly twice: string } {
  const bounds = boundsOf(field)
  const range = bounds === undefined ? '' : `an integer from ${bounds.min} to ${bounds.max}`
  return {
    wrong: `field "${name}" must be ${allowed(field)}`,
    wrongNumber: `field "${name}" must be ${range}, is `,
    twice: `field "${name}" stands twice`,
  }
}

function wrongText(name: string, field: Field, raw: string): string {
  const { wrong, wrongNumber } = decodeProblems(name, field)
  const isNumber = boundsOf(field) !== undefined && raw.length <= 20 && /^-?[0-9]+$/.test(raw)
  return isNumber ? `${wrongNumber}${raw}` : wrong
}

/** All that are missing; where that would be long, one of them. */
function missingText(names: readonly string[]): string {
  const [first = ''] = names
  const many = `fields ${names.map((name) => `"${name}"`).join(', ')} are missing`
  return names.length > 1 && Buffer.byteLength(many) <= missingMax
    ? many
    : `field "${first}" is missing`
}

/** Bytes of the text that names all missing fields. */
export const missingMax = 500

/** True when an entry could not be decoded. */
export function isDecodeFailure(decoded: Entry | DecodeFailure): decoded is DecodeFailure {
  return 'problem' in decoded
}
