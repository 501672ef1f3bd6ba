/** Which test files a change reaches, nearest first: what `npm test -- --changed` runs. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { filesIn } from './changed-files.ts'
import { distancesTo, importersIn } from './imports.ts'
import { secondsOf } from './test-seconds.ts'

export interface Reached {
  /** Test files that are changed themselves: always run. */
  readonly changed: readonly string[]
  /** All others that the change reaches, in the order in which they are worth running. */
  readonly others: readonly string[]
}

/**
 * The test files that a change reaches. First those of the table of guards and those named after a changed file (`claim.lua`:
 * `guards-claim.test.ts`), then those that import, start or read one themselves, then by distance. Where `npm run mutants` has measured
 * who reaches what, those that do come first among equals.
 * @param root the folder of the checkout
 * @param changed paths below it; may name files that are gone
 * @param tests all test files
 */
export function testsReached(
  root: string,
  changed: readonly string[],
  tests: readonly string[],
): Reached {
  const files = [...new Set([...filesIn(root), ...changed])]
  const distances = distancesTo(changed, importersIn(root, files))
  const guarding = guardsIn(root, changed)
  const measured = measuredReach(root, changed)
  const isChanged = new Set(changed)
  const rankOf = (test: string): number => {
    if (guarding.has(test) || changed.some((file) => isNamedAfter(test, file))) return 0
    return distances.get(test) ?? Infinity
  }
  const others = tests
    .filter((test) => !isChanged.has(test))
    .map((test) => ({ test, rank: rankOf(test), isMeasured: measured.has(test) }))
    .filter(({ rank, isMeasured }) => rank !== Infinity || isMeasured)
    .sort(
      (a, b) =>
        // Not a difference: two infinite ranks would have none.
        Number(a.rank > b.rank) - Number(a.rank < b.rank) ||
        Number(b.isMeasured) - Number(a.isMeasured) ||
        secondsOf(a.test) - secondsOf(b.test) ||
        (a.test < b.test ? -1 : 1),
    )
  return {
    changed: tests.filter((test) => isChanged.has(test)),
    others: others.map(({ test }) => test),
  }
}

/**
 * As many of the test files, in their order, as take so long together, by what is known of them; what alone takes too long is left out, and
 * shorter ones behind it are not.
 * @param seconds those of `secondsOf`
 */
export function withinSeconds(tests: readonly string[], seconds: number): string[] {
  let left = seconds
  return tests.filter((test) => {
    const takes = secondsOf(test)
    if (takes > left) return false
    left -= takes
    return true
  })
}

/** `lease-outage.test.ts` and `guards-lease.test.ts` are named after `lease.ts` and `lease.lua` of the same workspace. */
function isNamedAfter(test: string, file: string): boolean {
  if (!/\.(?:ts|mjs|lua)$/.test(file) || workspaceOf(test) !== workspaceOf(file)) return false
  const wordsOf = (path: string): string => `-${basename(path).replace(/\..*$/, '')}-`
  return wordsOf(test).includes(wordsOf(file))
}

function workspaceOf(path: string): string | undefined {
  return path.split('/')[0]
}

/** The test files of the rows of `docs/guards.md` for the changed scripts and roles. */
function guardsIn(root: string, changed: readonly string[]): Set<string> {
  const rows = textOf(root, 'docs/guards.md').matchAll(
    /^\| `((?:lua|src)\/[^`]+)` *\|[^|]*\| `([^`]+)`/gm,
  )
  return new Set(
    [...rows].flatMap(([, of = '', test = '']) => (changed.includes(`engine/${of}`) ? [test] : [])),
  )
}

/** Those that were measured to reach a changed file; none where nothing was measured. */
function measuredReach(root: string, changed: readonly string[]): Set<string> {
  const kept = textOf(root, '.cache/mutants/reach.json')
  if (kept === '') return new Set()
  const measured = JSON.parse(kept) as Record<
    string,
    { coverage?: Record<string, unknown>; scripts?: string[] }
  >
  const reaching = Object.entries(measured).filter(([, { coverage = {}, scripts = [] }]) =>
    changed.some((file) => file in coverage || scripts.includes(file)),
  )
  return new Set(reaching.map(([test]) => test))
}

function textOf(root: string, file: string): string {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''
}
