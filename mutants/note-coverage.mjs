/**
 * Writes what was called each second, in the processes that a measured test starts: one that is killed writes nothing at its end.
 * V8 counts anew after each time; `coverageIn` adds up.
 */
import { takeCoverage } from 'node:v8'

if (process.env.NODE_V8_COVERAGE !== undefined && process.env.NODE_TEST_CONTEXT === undefined) {
  globalThis.setInterval(takeCoverage, 1000).unref()
}
