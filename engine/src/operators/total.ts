/** Totals: `count` and `sum`. Promise: exact within 64 bits, or the entry is refused. */
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
import { int64Max, integerIn, integerOf, type PlainStep, type RefusalCode } from './plainly.ts'
import { nameProblem, numberOf } from './reading.ts'

/** The number of entries, or the sum of an integer field. */
export type Total<Name extends string = string> =
  { readonly kind: 'count' } | { readonly kind: 'sum'; readonly of: Name }

/** The number of entries. */
export const count = (): { readonly kind: 'count' } => ({ kind: 'count' })

/** The sum of an integer field. */
export const sum = <Name extends string>(
  of: Name,
): { readonly kind: 'sum'; readonly of: Name } => ({
  kind: 'sum',
  of,
})

export const totals: Family<Total> & { readonly isRankable: true } = {
  isRankable: true,
  problem: ({ kind, of }) => (kind === 'count' ? undefined : nameProblem(kind, of)),
  operandsOf: () => [],
  columnsOf: (declared, isOperand) =>
    declared.map(([field, operator]) => {
      return new TotalColumn(
        field,
        operator.kind === 'sum' ? operator.of : undefined,
        isOperand(field),
      )
    }),
  foldPlainly: (step, declared, isOperand) => {
    for (const [field, operator] of declared) {
      const amount = operator.kind === 'count' ? 1n : integerIn(step.entry, operator.of)
      const refusal = addPlainly(step, field, amount, isOperand(field))
      if (refusal !== undefined) return refusal
    }
    return undefined
  },
  samples: (number) => ({ count: count(), sum: sum(number) }),
}

function addPlainly(
  { before, after }: PlainStep,
  field: string,
  amount: bigint,
  isOperand: boolean,
): RefusalCode | undefined {
  const held = integerOf(before.get(field))
  if (held === undefined) return 'not-an-integer'
  const total = held + amount
  const [least, most] = isOperand ? [-(2n ** 51n), 2n ** 51n] : [-int64Max - 1n, int64Max]
  if (total < least || total > most) return 'overflow'
  after.set(field, String(total))
  return undefined
}

class TotalColumn implements Column {
  readonly width = 1
  readonly leaves = 0
  readonly readings: readonly Reading[]
  readonly definition: readonly (readonly unknown[])[]
  readonly fetched: readonly string[]
  readonly #field: string
  /** Undefined: each entry counts 1. */
  readonly #of: string | undefined
  /** Another operator reads it, so it stays within ±2^51. */
  readonly #isOperand: boolean

  constructor(field: string, of: string | undefined, isOperand: boolean) {
    this.#field = field
    this.#of = of
    this.#isOperand = isOperand
    this.readings = of === undefined ? [] : [{ field, of, as: 'integer' }]
    this.definition = [[field, of === undefined ? 'count' : 'sum', of]]
    this.fetched = [field]
  }

  begin(row: Row, entry: FoldedEntry): void {
    row.push(this.#of === undefined ? 1 : numberOf(entry, this.#of))
  }

  fold(row: Row, at: number, entry: FoldedEntry): void {
    row[at] = addExactly(row[at] ?? 0, this.#of === undefined ? 1 : numberOf(entry, this.#of))
  }

  beginInLua({ integer }: EntryInLua): readonly string[] {
    return [this.#of === undefined ? '1' : integer(this.#of)]
  }

  foldInLua(value: (at: number) => string, { integer, isSmall }: EntryInLua): readonly string[] {
    const slot = value(0)
    if (this.#of === undefined) return [`${slot} = ${slot} + 1`]
    const added = integer(this.#of)
    return [
      `${slot} = ${isSmall(this.#of) ? `${slot} + ${added}` : `add_exactly(${slot}, ${added})`}`,
    ]
  }

  // Most sums take the short way: within ±2^51 whatever is added is exact, or it is text, and then the sum is larger.
  check({ values, held }: Positions): string {
    // Each entry counts 1: where not even that fits, all of them are refused, however many there are.
    const full = `if code == 'overflow' and not add(have, 1, ${this.#isOperand}) then code = 'full' end`
    return `      have = held[${held}]
      value = have and #have < 16 and find(have, '^[1-9]%d*$') and have + row[${values}]
      if not value or value > AVERAGED_MAX or value < -AVERAGED_MAX then
        value, code = add(have, row[${values}], ${this.#isOperand})
        if not value then
          field = ${luaLiteral(this.#field)}
          ${this.#of === undefined ? full : ''}
          break
        end
      end
      row[${values}] = value`
  }

  written({ values }: Positions): Written {
    return { ifLeft: false, fields: [[this.#field, values]] }
  }

  finalAt(field: string, { values }: Pick<Positions, 'values'>): number | undefined {
    return field === this.#field ? values : undefined
  }
}

/** Sums stay numbers while these are exact; beyond 2^53 they are decimal text. */
function addExactly(a: number | string, b: number): number | string {
  if (typeof a === 'number' && Number.isSafeInteger(a + b)) return a + b
  return String(BigInt(a) + BigInt(b))
}
