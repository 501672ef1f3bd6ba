/** All mutants that there are, and the choice of some of them. */
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SeededRandom } from '../testing/seeded-random.ts'
import type { Area } from './areas.ts'
import { readSource } from './checkout-copy.ts'
import { mutantOf, type Mutant } from './edit.ts'
import { luaEdits } from './lua-edits.ts'
import { typescriptEdits } from './typescript-edits.ts'

/** The sources of an area. @throws {Error} when one that it names is not there: the table of areas is stale. */
export function sourcesOf(checkout: string, { name, sources }: Area): string[] {
  return sources.flatMap((source) => {
    const [before = '', after] = basename(source).split('*')
    const names = readdirSync(join(checkout, dirname(source))).filter((file) =>
      after === undefined ? file === before : file.startsWith(before) && file.endsWith(after),
    )
    if (names.length === 0) throw new Error(`Area "${name}" names ${source}, which is not there`)
    return names.sort().map((file) => join(dirname(source), file))
  })
}

/** @param filter the name of an area, or a part of the paths of sources; undefined: all. */
export function candidatesIn(
  checkout: string,
  areas: readonly Area[],
  filter: string | undefined,
): Mutant[] {
  const isArea = areas.some(({ name }) => name === filter)
  return areas.flatMap((area) =>
    sourcesOf(checkout, area)
      .filter(
        (file) => filter === undefined || (isArea ? area.name === filter : file.includes(filter)),
      )
      .flatMap((file) => {
        const text = readSource(checkout, file)
        const edits = file.endsWith('.lua') ? luaEdits(text) : typescriptEdits(text)
        return edits.map((edit) => mutantOf(area.name, file, text, edit))
      }),
  )
}

/** As many from each area as from the others, while it has some; the same for the same seed and sources. */
export function picked(candidates: readonly Mutant[], count: number, seed: number): Mutant[] {
  const random = new SeededRandom(seed)
  const names = [...new Set(candidates.map(({ area }) => area))]
  const left = names.map((name) => random.shuffled(candidates.filter(({ area }) => area === name)))
  const chosen: Mutant[] = []
  while (chosen.length < count && left.some((some) => some.length > 0)) {
    for (const some of left) {
      const next = some.pop()
      if (next !== undefined && chosen.length < count) chosen.push(next)
    }
  }
  return chosen
}
