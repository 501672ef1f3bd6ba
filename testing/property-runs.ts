import { serverKinds, type ServerKind } from './redis-servers.ts'

/**
 * How many samples a property test tries: all of them on the first kind of server that takes part, a fifth on each further one, but 100 at least, as
 * what is tried there is mostly our own code again. MILLRACE_PROPERTY_RUNS is the most that any test tries; `npm test -- --changed` sets it.
 * @param full what the law is worth in a full run
 * @param kind of the server that the test runs on; none where there is only one
 * @throws {RangeError} when MILLRACE_PROPERTY_RUNS is no whole number of 1 or more.
 */
export function propertyRuns(full: number, kind?: ServerKind): number {
  const isFirst = kind === undefined || kind === serverKinds()[0]
  return Math.min(full, isFirst ? full : Math.max(100, Math.ceil(full / 5)), most())
}

function most(): number {
  const given = process.env.MILLRACE_PROPERTY_RUNS
  if (given === undefined || given === '') return Infinity
  if (/^[1-9]\d*$/.test(given)) return Number(given)
  throw new RangeError(`MILLRACE_PROPERTY_RUNS must be a whole number from 1 on, not "${given}"`)
}
