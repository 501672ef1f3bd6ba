/** What can be wrong with an operator of a projection where no types have looked at it. */

const kinds = ['count', 'sum', 'min', 'max', 'first', 'latest', 'average'] as const

/** What is wrong with what stands for an operator, undefined when nothing is. */
export function operatorProblem(operator: unknown): string | undefined {
  const { kind, of } = partsOf(operator)
  if (!kinds.some((known) => known === kind)) {
    return `is ${shown(operator)}, not an operator. Call one: ${kinds.map((known) => `${known}()`).join(', ')}`
  }
  if (kind === 'count' || kind === 'average') return undefined
  if (typeof of === 'string' && of !== '') return undefined
  const takesTime = kind === 'first' || kind === 'latest'
  if (takesTime && partsOf(of).kind === 'entry-time') return undefined
  const time = takesTime ? ', or entryTime()' : ''
  return `reads ${shown(of)}. Give ${String(kind)}() the name of a field${time}`
}

function partsOf(given: unknown): { readonly kind?: unknown; readonly of?: unknown } {
  return typeof given === 'object' && given !== null ? given : {}
}

/** What was given, for messages: a function is mostly one of ours that was not called. */
export function shown(given: unknown): string {
  if (typeof given === 'function') return `the function ${given.name || 'without a name'}`
  if (given === undefined) return 'nothing'
  if (given === null) return 'null'
  if (typeof given === 'string') return `the text "${given}"`
  return typeof given === 'object' ? 'an object of another kind' : `a ${typeof given}`
}
