/** A run: measures what it has to know, then tries one mutant after the other. */
import { basename } from 'node:path'
import { areas, type Area } from './areas.ts'
import { candidatesIn, picked, sourcesOf } from './candidates.ts'
import { copyOf, removeCopy } from './checkout-copy.ts'
import type { Mutant } from './edit.ts'
import { equivalentOf, readEquivalents } from './equivalents.ts'
import { Reach } from './reach.ts'
import type { Judged } from './report.ts'
import { testFilesIn } from './test-files.ts'
import { tryMutant, type TimedTest, type Verdict } from './trial.ts'

export interface RunOptions {
  readonly checkout: string
  /** The name of an area or a part of a path; undefined: all areas. */
  readonly filter: string | undefined
  readonly count: number
  readonly seed: number
  /** How many mutants, or measured test files, at a time. */
  readonly parallel: number
  /** A survivor meets the test files of all areas, also those that do not reach it. */
  readonly isWide: boolean
  /** Measures again what was measured with older sources. */
  readonly isFresh: boolean
  readonly judged: (judged: Judged) => void
  readonly say: (line: string) => void
}

export async function runMutants(options: RunOptions): Promise<Judged[]> {
  const { checkout, filter, count, seed, parallel, say } = options
  const candidates = candidatesIn(checkout, areas, filter)
  const mutants = picked(candidates, count, seed)
  say(`${mutants.length} of ${candidates.length} mutants, seed ${seed}`)
  const sources = areas.flatMap((area) => sourcesOf(checkout, area))
  const reach = new Reach(checkout, sources)
  const tests = testFilesIn(checkout)
  const used = areas.filter(({ name }) => mutants.some(({ area }) => area === name))
  await measure(
    reach,
    tests.filter((file) => used.some((area) => isOf(area, file))),
    options,
  )

  const equivalents = readEquivalents()
  const all: Judged[] = []
  let begun = 0
  await inParallel(parallel, mutants, async (mutant) => {
    const known = equivalentOf(mutant, equivalents)
    begun += 1
    say(`trying ${begun} of ${mutants.length}: ${mutant.file}:${mutant.line}`)
    const verdict: Verdict =
      known === undefined
        ? await tried(mutant, inOrder(mutant, tests, reach, options), checkout)
        : { kind: 'equivalent', reason: known.reason }
    all.push({ mutant, verdict })
    options.judged({ mutant, verdict })
  })
  return all
}

async function measure(
  reach: Reach,
  tests: readonly string[],
  { parallel, isFresh, say }: RunOptions,
): Promise<void> {
  const missing = [...new Set([...reach.missing(tests), ...(isFresh ? reach.old(tests) : [])])]
  let done = 0
  await inParallel(parallel, missing, async (file) => {
    const { seconds, failed } = await reach.measure(file)
    done += 1
    const end = failed === undefined ? `${seconds.toFixed(1)} s` : `fails as it is: ${failed}`
    say(`measured ${done} of ${missing.length}: ${file}, ${end}`)
  })
  const old = reach.old(tests).length
  if (old > 0) say(`${old} test files were measured with older sources; --fresh measures them anew`)
  for (const failing of reach.failing(tests))
    say(`kills nothing, as it fails without a mutant: ${failing}`)
}

async function tried(
  mutant: Mutant,
  tests: readonly TimedTest[],
  checkout: string,
): Promise<Verdict> {
  if (tests.length === 0) return { kind: 'survived', files: 0, wavered: [] }
  const root = copyOf(checkout)
  try {
    return await tryMutant(root, mutant, tests)
  } finally {
    removeCopy(root)
  }
}

/** Those that reach it: first those that are named after the source, then the quick ones; then, if it is wide, all others. */
function inOrder(
  mutant: Mutant,
  tests: readonly string[],
  reach: Reach,
  { isWide }: RunOptions,
): TimedTest[] {
  const area = areas.find(({ name }) => name === mutant.area)
  const own = tests.filter((file) => area !== undefined && isOf(area, file))
  const reaching = reach.of(mutant, own)
  const subject = basename(mutant.file).replace(/\.\w+$/, '')
  const rank = (file: string): number =>
    basename(file).includes(subject) ? 0 : reach.secondsOf(file)
  const first = reaching.toSorted((a, b) => rank(a) - rank(b))
  const failing = new Set(reach.failing(tests).map((line) => line.split(':')[0]))
  const rest = isWide ? tests.filter((file) => !reaching.includes(file) && !failing.has(file)) : []
  return [...first, ...rest].map((file) => ({ file, limitMs: limitOf(reach.secondsOf(file)) }))
}

/** Five times what it took, and a minute, as others may be at work; what was never measured has ten minutes. */
function limitOf(seconds: number): number {
  return seconds === 0 ? 600_000 : 60_000 + 5000 * seconds
}

function isOf({ tests }: Area, file: string): boolean {
  return tests.some((beginning) => file.startsWith(beginning))
}

async function inParallel<Item>(
  width: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
