/** Mutants that change nothing that a promise covers, each with the reason. Nobody runs them again. */
import { readFileSync } from 'node:fs'
import type { Mutant } from './edit.ts'

/** A mutant by its file and its line before and after, so that it is known wherever the line moves. */
export interface Equivalent extends Pick<Mutant, 'file' | 'before' | 'after'> {
  readonly reason: string
}

export function readEquivalents(): Equivalent[] {
  const file = new URL('equivalents.json', import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as Equivalent[]
}

export function equivalentOf(
  mutant: Pick<Mutant, 'file' | 'before' | 'after'>,
  equivalents: readonly Equivalent[],
): Equivalent | undefined {
  return equivalents.find(
    ({ file, before, after }) =>
      file === mutant.file && before === mutant.before && after === mutant.after,
  )
}
