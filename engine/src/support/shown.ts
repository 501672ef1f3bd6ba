/** How things that users' functions throw and return are shown in errors. */
import { inspect } from 'node:util'

const lengthMax = 200

/** Any value in one short line. */
export function shown(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Infinity, maxArrayLength: 5 })
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}...` : text
}

/** The text of anything that can be thrown, even of what has none. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    return 'something without a text was thrown'
  }
}

/** What stands where a declaration should: a function is mostly one of ours that was not called. */
export function described(given: unknown): string {
  if (typeof given === 'function') return `the function ${given.name || 'without a name'}`
  if (given === undefined) return 'nothing'
  if (given === null) return 'null'
  if (typeof given === 'string') return `the text "${given}"`
  return typeof given === 'object' ? 'an object of another kind' : `a ${typeof given}`
}
