/** Averages: of two totals of the same hash. Promise: rounded once, from sums that are exact. */
import type { Column, Family, Positions, Written } from './column.ts'

/** `sum` divided by `count`, both fields of the same hash. */
export interface Average {
  readonly kind: 'average'
  readonly sum: string
  readonly count: string
}

/**
 * `sum` divided by `count`, two fields of the same hash (by `count` or `sum`), rounded half up; 0 when the divisor is 0.
 * Both stay within ±2^51, so that the quotient is exact; an entry that would lead further is refused.
 */
export const average = (
  sumField: string,
  countField: string,
): { readonly kind: 'average'; readonly sum: string; readonly count: string } => ({
  kind: 'average',
  sum: sumField,
  count: countField,
})

export const averages: Family<Average> & { readonly isRankable: true } = {
  isRankable: true,
  problem: ({ sum, count }, kindOf) => {
    const wrong = [sum, count].map(String).find((operand) => {
      const kind = kindOf(operand)
      return kind !== 'count' && kind !== 'sum'
    })
    return wrong === undefined ? undefined : `averages "${wrong}", which is no count or sum here`
  },
  operandsOf: ({ sum, count }) => [sum, count],
  columnsOf: (declared) => declared.map(([field, operator]) => new AverageColumn(field, operator)),
  foldPlainly: ({ after }, declared) => {
    for (const [field, { sum, count }] of declared) {
      const [total, divisor] = [sum, count].map((of) => BigInt(after.get(of) ?? 0))
      after.set(field, String(roundedQuotient(total ?? 0n, divisor ?? 0n)))
    }
    return undefined
  },
  samples: () => ({ average: average('sum', 'count') }),
}

/** Rounded half up: -0.5 becomes 0, 0.5 becomes 1. */
function roundedQuotient(sum: bigint, count: bigint): bigint {
  if (count === 0n) return 0n
  const [numerator, denominator] = count < 0n ? [-sum, -count] : [sum, count]
  const twice = 2n * numerator + denominator
  const quotient = twice / (2n * denominator)
  return twice % (2n * denominator) < 0n ? quotient - 1n : quotient
}

/** Folds nothing: the check computes it, of what the totals come to. */
class AverageColumn implements Column {
  readonly width = 0
  readonly leaves = 1
  readonly readings: readonly never[] = []
  readonly fetched: readonly never[] = []
  readonly definition: readonly (readonly unknown[])[]
  readonly #field: string
  readonly #of: Average

  constructor(field: string, of: Average) {
    this.#field = field
    this.#of = of
    this.definition = [[field, 'average', of.sum, of.count]]
  }

  begin(): void {
    // Nothing.
  }

  fold(): void {
    // Nothing.
  }

  beginInLua(): readonly string[] {
    return []
  }

  foldInLua(): readonly string[] {
    return []
  }

  check({ left, finalOf }: Positions): string {
    const { sum, count } = this.#of
    return `row[${left}] = rounded_quotient(row[${finalOf(sum)}], row[${finalOf(count)}])`
  }

  written({ left }: Positions): Written {
    return { ifLeft: false, fields: [[this.#field, left]] }
  }

  finalAt(field: string, { left }: Pick<Positions, 'left'>): number | undefined {
    return field === this.#field ? left : undefined
  }
}
