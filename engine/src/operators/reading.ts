/** How operators read a field of an entry, and what is said where none is named. */
import { described } from '../support/shown.ts'
import type { FoldedEntry } from './column.ts'

export function numberOf(entry: FoldedEntry, name: string): number {
  return Number(entry.values[name])
}

/** What is wrong with what stands for the name of a field, undefined when nothing is. `or`: what else could stand there. */
export function nameProblem(kind: unknown, of: unknown, or = ''): string | undefined {
  if (typeof of === 'string' && of !== '') return undefined
  return `reads ${described(of)}. Give ${String(kind)}() the name of a field${or}`
}
