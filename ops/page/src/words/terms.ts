/** The terms of the filter of pending entries: `consumer:desk-1 idle:>30s`. */

export interface Terms {
  readonly consumer?: string
  readonly idleMs?: number
  /** What is no term that anybody knows. */
  readonly unknown: readonly string[]
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export function readTerms(text: string): Terms {
  const words = text.split(/\s+/).filter((word) => word !== '')
  let terms: Terms = { unknown: [] }
  for (const word of words) {
    const known = readTerm(word)
    terms = { ...terms, ...(known ?? { unknown: [...terms.unknown, word] }) }
  }
  return terms
}

function readTerm(word: string): Partial<Terms> | undefined {
  const [, name, value = ''] = /^([a-z]+):(.+)$/.exec(word) ?? []
  if (name === 'consumer') return { consumer: value }
  if (name !== 'idle') return undefined
  const [, size, unit] = /^>?(\d{1,9})(ms|s|m|h|d)$/.exec(value) ?? []
  if (size === undefined || unit === undefined) return undefined
  return { idleMs: Number(size) * units[unit as keyof typeof units] }
}
