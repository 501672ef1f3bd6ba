/** How long test files take, as far as it matters: for their order, and for what fits into a minute. */

/** Processor seconds with Redis 7 alone, measured on a machine with 2 cores; files that take less than four are not listed. */
export const slowTests: Readonly<Record<string, number>> = {
  'checkin/test/crash/recovery.test.ts': 19,
}

/** Of a file that is not listed. */
const otherSeconds = 2

/** What a test file takes of one processor, on one kind of server, with its runner. */
export function secondsOf(test: string): number {
  return slowTests[test] ?? otherSeconds
}

/** The longest first, so that a run does not end with one processor that waits for the other. */
export function longestFirst(tests: readonly string[]): string[] {
  return [...tests].sort((a, b) => secondsOf(b) - secondsOf(a) || (a < b ? -1 : 1))
}
