/** Reads answers, where what is no answer of the expected shape is none. */
import type { Reply } from 'millrace/operate'
import type { Answer } from './pipeline.ts'

export const listOf = (answer: Answer | undefined): readonly Reply[] =>
  Array.isArray(answer) ? answer : []

/** Names and values in turn. */
export function mapOf(answer: Answer | undefined): ReadonlyMap<string, Reply> {
  const flat = listOf(answer)
  const map = new Map<string, Reply>()
  for (let at = 0; at < flat.length; at += 2) map.set(String(flat[at]), flat[at + 1] ?? null)
  return map
}

export function textMapOf(answer: Answer | undefined): ReadonlyMap<string, string> {
  return new Map([...mapOf(answer)].map(([name, value]) => [name, String(value)]))
}

/** Null for what is no integer. */
export function numberIn(answer: Answer | undefined): number | null {
  if (typeof answer === 'number') return answer
  return typeof answer === 'string' && /^-?\d{1,16}$/.test(answer) ? Number(answer) : null
}

/** The id of the only entry in a reply of XRANGE, or of an entry within a reply of XINFO STREAM. */
export const idOfOnly = (answer: Answer | undefined): string | null => idOf(listOf(answer)[0])

export function idOf(entry: Reply | undefined): string | null {
  const [id] = listOf(entry)
  return typeof id === 'string' ? id : null
}
