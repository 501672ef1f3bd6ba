/** Which operator takes the place of which, in both languages. */

interface Swap {
  readonly to: string
  readonly operator: string
}

type Swaps = Readonly<Record<string, readonly Swap[]>>

const common: Swaps = {
  // One that takes the edge or leaves it, and the other way round.
  '<': swaps('comparison', '<=', '>'),
  '<=': swaps('comparison', '<', '>='),
  '>': swaps('comparison', '>=', '<'),
  '>=': swaps('comparison', '>', '<='),
  '+': swaps('arithmetic', '-'),
  '-': swaps('arithmetic', '+'),
  '*': swaps('arithmetic', '/'),
  '/': swaps('arithmetic', '*'),
}

export const swapped: { readonly lua: Swaps; readonly typescript: Swaps } = {
  lua: {
    ...common,
    '==': swaps('comparison', '~='),
    '~=': swaps('comparison', '=='),
    and: swaps('logic', 'or'),
    or: swaps('logic', 'and'),
  },
  typescript: {
    ...common,
    '===': swaps('comparison', '!=='),
    '!==': swaps('comparison', '==='),
    '&&': swaps('logic', '||'),
    '||': swaps('logic', '&&'),
    '+=': swaps('arithmetic', '-='),
    '-=': swaps('arithmetic', '+='),
  },
}

function swaps(operator: string, ...others: readonly string[]): Swap[] {
  return others.map((to) => ({ to, operator }))
}
