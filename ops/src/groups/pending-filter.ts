/** What `pending --filter` takes: terms that a pending entry has to fit, all of them, like `consumer:w-3 age:>10s userId:12`. */
import type { PendingEntry } from './pending-entry.ts'

/** Names and values of an entry, in their order. */
export type EntryFields = readonly (readonly [name: string, value: string])[]

/** A pending entry as the filter sees it. */
export interface Filtered extends PendingEntry {
  /** Milliseconds since it was appended, by its id; null: it tells no time. */
  readonly ageMs: number | null
}

export interface PendingFilter {
  /** The server is asked for this consumer's entries alone. */
  readonly consumer: string | undefined
  /** Nothing younger is looked for, in milliseconds. */
  readonly leastAgeMs: number
  readonly isFitting: (entry: Filtered) => boolean
  /** Names of the fields that are asked for. None: the stream need not be asked. */
  readonly fields: readonly string[]
  /** Null: the stream does not hold the entry any more, and no field of it fits. */
  readonly areFitting: (fields: EntryFields | null) => boolean
}

/** Fits all. */
export const everything: PendingFilter = {
  consumer: undefined,
  leastAgeMs: 0,
  fields: [],
  isFitting: () => true,
  areFitting: () => true,
}

/** A filter that nobody can follow; its message says what is allowed. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
}

type Sign = ':' | '>' | '>=' | '<' | '<='

interface Term {
  readonly name: string
  readonly sign: Sign
  readonly value: string
}

const allowed =
  'Allowed are consumer:NAME, age:>10s (since it was appended), held:>10s (since it was delivered), deliveries:>2, ' +
  'and fields of the entry by their names, like userId:12 or price:>=5; field.consumer:ada for one that is named like these'

/** @throws {FilterError} */
export function parseFilter(text: string): PendingFilter {
  const terms = termsOf(text)
  if (terms.length === 0) throw new FilterError(`It is empty. ${allowed}`)
  const consumers = terms.filter(({ name }) => name === 'consumer').map(consumerOf)
  const tests = terms.flatMap(entryTest)
  const fieldTests = terms.filter(isOfField).map((term) => {
    return { name: term.name.replace(/^field\./, ''), fits: valueTest(term) }
  })
  return {
    consumer: consumers[0],
    leastAgeMs: Math.max(0, ...terms.map(leastAge)),
    isFitting: (entry) =>
      tests.every((test) => test(entry)) && consumers.every((name) => name === entry.consumer),
    fields: [...new Set(fieldTests.map(({ name }) => name))],
    areFitting: (fields) =>
      fieldTests.every(
        ({ name, fits }) => fields?.some(([own, value]) => own === name && fits(value)) ?? false,
      ),
  }
}

const ofEntry = ['consumer', 'age', 'held', 'deliveries']

const isOfField = ({ name }: Term): boolean => !ofEntry.includes(name)

function consumerOf(term: Term): string {
  if (term.sign === ':') return term.value
  throw wrong(term, 'a consumer is named as it is')
}

/** What a term asks of the entry, beside its fields and its consumer. */
function entryTest(term: Term): ((entry: Filtered) => boolean)[] {
  const { name, sign } = term
  if (name === 'age') {
    const fits = comparing(sign, timeOf(term))
    return [({ ageMs }) => ageMs !== null && fits(ageMs)]
  }
  if (name === 'held') {
    const fits = comparing(sign, timeOf(term))
    return [({ idleMs }) => fits(idleMs)]
  }
  if (name !== 'deliveries') return []
  const fits = comparing(sign, numberOf(term, /^\d{1,15}$/))
  return [({ deliveries }) => fits(deliveries)]
}

const leastAge = (term: Term): number =>
  term.name === 'age' && term.sign.startsWith('>') ? timeOf(term) : 0

/** Words with blanks stand in quotes: `city:"New York"`. */
function termsOf(text: string): Term[] {
  const words = text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []
  return words.map((word) => {
    const match = /^([^:"]+):(>=|<=|>|<)?(.+)$/s.exec(word)
    const [, name = '', sign = ':', quoted = ''] = match ?? []
    const isOpen = (quoted.match(/"/g)?.length ?? 0) % 2 === 1
    if (match === null || isOpen)
      throw new FilterError(`Nobody can follow ${JSON.stringify(word)}. ${allowed}`)
    return { name, sign: sign as Sign, value: quoted.replaceAll('"', '') }
  })
}

const wrong = ({ name, sign, value }: Term, why: string): FilterError =>
  new FilterError(
    `Nobody can follow ${JSON.stringify(`${name}:${sign === ':' ? '' : sign}${value}`)}: ${why}. ${allowed}`,
  )

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

function timeOf(term: Term): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(term.value)
  if (match === null) throw wrong(term, 'it is a time like 500ms, 10s, 2m, 24h or 7d')
  // No time is met to the millisecond.
  if (term.sign === ':') throw wrong(term, 'a time is compared by >, >=, < or <=')
  return Math.round(Number(match[1]) * units[match[2] as keyof typeof units])
}

function numberOf(term: Term, pattern: RegExp): number {
  if (pattern.test(term.value)) return Number(term.value)
  throw wrong(term, 'it is compared with a number')
}

const comparing =
  (sign: Sign, limit: number) =>
  (value: number): boolean => {
    switch (sign) {
      case ':':
        return value === limit
      case '>':
        return value > limit
      case '>=':
        return value >= limit
      case '<':
        return value < limit
      case '<=':
        return value <= limit
      default:
        return sign satisfies never
    }
  }

const decimal = /^-?\d+(?:\.\d+)?$/

/** A text is met as it is, so no long number is rounded; only a comparison makes numbers of both. */
function valueTest(term: Term): (value: string) => boolean {
  if (term.sign === ':') return (value) => value === term.value
  const fits = comparing(term.sign, numberOf(term, decimal))
  return (value) => decimal.test(value) && fits(Number(value))
}
