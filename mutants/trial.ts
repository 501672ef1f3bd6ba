/** One mutant against its tests. */
import { applied, type Mutant } from './edit.ts'
import { readSource, writeSource } from './checkout-copy.ts'
import { doesLoad, runTestFile } from './test-file-run.ts'

export type Verdict =
  | {
      readonly kind: 'killed'
      readonly file: string
      readonly title: string
      readonly said: string
    }
  | { readonly kind: 'timed out'; readonly file: string }
  /** `wavered`: tests that failed with it once, and passed when they were asked again. */
  | { readonly kind: 'survived'; readonly files: number; readonly wavered: readonly string[] }
  /** The mutated source cannot be loaded, so no test has judged what it does. */
  | { readonly kind: 'invalid' }
  | { readonly kind: 'equivalent'; readonly reason: string }

export interface TimedTest {
  readonly file: string
  /** Over this the mutant counts as killed by time. */
  readonly limitMs: number
}

/**
 * Puts the mutant into the copy and runs the test files, until one fails, and fails again: a test that fails once under load
 * would count as a net that it is not.
 * @param root a copy that nobody else uses, and that is of no use afterwards.
 */
export async function tryMutant(
  root: string,
  mutant: Mutant,
  tests: readonly TimedTest[],
): Promise<Verdict> {
  writeSource(root, mutant.file, applied(readSource(root, mutant.file), mutant))
  const wavered: string[] = []
  for (const { file, limitMs } of tests) {
    const end = await runTestFile(root, file, { limitMs })
    if (end.kind === 'passed') continue
    if (end.kind === 'timed out') return { kind: 'timed out', file }
    const isCode = mutant.file.endsWith('.lua') || (await doesLoad(root, mutant.file))
    if (!isCode) return { kind: 'invalid' }
    const again = await runTestFile(root, file, { limitMs })
    if (again.kind !== 'passed') return { ...end, kind: 'killed', file }
    wavered.push(`${file}: "${end.title}"`)
  }
  return { kind: 'survived', files: tests.length, wavered }
}
