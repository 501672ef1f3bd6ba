/** Extremes: `min` and `max`. Promise: a hash that holds a better value keeps it, as the text that it is. */
import { luaLiteral } from '../support/lua-literal.ts'
import type {
  Column,
  EntryInLua,
  Family,
  FoldedEntry,
  Positions,
  Reading,
  Row,
  Written,
} from './column.ts'
import { integerIn, integerOf } from './plainly.ts'
import { nameProblem, numberOf } from './reading.ts'

/** The smallest or largest value of an integer field. */
export type Extreme<Name extends string = string> =
  { readonly kind: 'min'; readonly of: Name } | { readonly kind: 'max'; readonly of: Name }

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

export const extremes: Family<Extreme> & { readonly isRankable: true } = {
  isRankable: true,
  problem: ({ kind, of }) => nameProblem(kind, of),
  operandsOf: () => [],
  columnsOf: (declared) =>
    declared.map(([field, { kind, of }]) => new ExtremeColumn(field, kind, of)),
  foldPlainly: ({ before, after, entry }, declared) => {
    for (const [field, { kind, of }] of declared) {
      const value = integerIn(entry, of)
      const held = integerOf(before.get(field) ?? String(value))
      if (held === undefined) return 'not-an-integer'
      if (kind === 'min' ? value <= held : value >= held) after.set(field, String(value))
    }
    return undefined
  },
  samples: (number) => ({ min: min(number), max: max(number) }),
}

class ExtremeColumn implements Column {
  readonly width = 1
  readonly leaves = 0
  readonly readings: readonly Reading[]
  readonly definition: readonly (readonly unknown[])[]
  readonly fetched: readonly string[]
  readonly #field: string
  readonly #of: string
  readonly #isMin: boolean

  constructor(field: string, kind: Extreme['kind'], of: string) {
    this.#field = field
    this.#of = of
    this.#isMin = kind === 'min'
    this.readings = [{ field, of, as: 'integer' }]
    this.definition = [[field, kind, of]]
    this.fetched = [field]
  }

  begin(row: Row, entry: FoldedEntry): void {
    row.push(numberOf(entry, this.#of))
  }

  fold(row: Row, at: number, entry: FoldedEntry): void {
    const value = numberOf(entry, this.#of)
    const held = Number(row[at])
    row[at] = this.#isMin ? Math.min(held, value) : Math.max(held, value)
  }

  beginInLua({ integer }: EntryInLua): readonly string[] {
    return [integer(this.#of)]
  }

  foldInLua(value: (at: number) => string, { integer }: EntryInLua): readonly string[] {
    const [slot, other] = [value(0), integer(this.#of)]
    return [`if ${other} ${this.#better} ${slot} then ${slot} = ${other} end`]
  }

  check({ values, held }: Positions): string {
    return `      have = held[${held}]
      if have then
        if not is_integer(have) then
          code, field = 'not-an-integer', ${luaLiteral(this.#field)}
          break
        end
        if not (row[${values}] ${this.#better} tonumber(have)) then row[${values}] = have end
      end`
  }

  get #better(): string {
    return this.#isMin ? '<' : '>'
  }

  written({ values }: Positions): Written {
    return { ifLeft: false, fields: [[this.#field, values]] }
  }

  finalAt(field: string, { values }: Pick<Positions, 'values'>): number | undefined {
    return field === this.#field ? values : undefined
  }
}
