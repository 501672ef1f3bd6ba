/** What `npm test -- --changed` runs, and what it says of that. */
import { changedFiles } from './changed-files.ts'
import { testsReached, withinSeconds } from './reached-tests.ts'
import { secondsOf } from './test-seconds.ts'

export interface ChangedPlan {
  /** The test files to run; none where the change reaches none. */
  readonly files: readonly string[]
  /** Lines for the developer, for before the run. */
  readonly says: readonly string[]
}

/** In the seconds of `secondsOf`: with a build before them, on one kind of server, less than a minute on a quiet machine with 2 cores. */
const secondsMax = 90

/**
 * Chooses the test files for what has changed: those that are changed, and of the others that it reaches as many as fit into a minute.
 * @param root the folder of the checkout
 * @param tests those to choose from
 * @param ref see `changedFiles`
 * @throws {Error} when git does not know the ref.
 */
export function changedPlan(root: string, tests: readonly string[], ref?: string): ChangedPlan {
  const { since, files } = changedFiles(root, ref)
  if (files.length === 0) {
    const hint = ref === undefined ? '. The last commit: npm test -- --changed HEAD~1' : ''
    return { files: [], says: [`Nothing has changed since ${since}${hint}`] }
  }
  const { changed, others } = testsReached(root, files, tests)
  const all = changed.length + others.length
  if (all === 0) {
    return {
      files: [],
      says: [`Changed since ${since}: ${shown(files)}. No test file reaches that`],
    }
  }
  const left = secondsMax - changed.reduce((sum, test) => sum + secondsOf(test), 0)
  const chosen = [...changed, ...withinSeconds(others, left)]
  const more = all - chosen.length
  return {
    files: chosen,
    says: [
      `Changed since ${since}: ${shown(files)}`,
      `Test files that run for it, on one kind of server: ${chosen.length}`,
      ...(more === 0
        ? []
        : [`Test files that reach it farther off: ${more}. All run by: npm test`]),
    ],
  }
}

/** The first names of a list. */
function shown(files: readonly string[]): string {
  const rest = files.length - 3
  return files.slice(0, 3).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}
