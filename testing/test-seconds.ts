/** How long test files take, as far as it matters: for their order, and for what fits into a minute. */

/**
 * About how many seconds a file takes alone, on all kinds of servers that it is for: measured on a busy machine with 2 cores, those of
 * the engine on one kind and multiplied, and rounded down where it mostly waited for the machine. Files that take less than ten are not listed.
 */
export const slowTests: Readonly<Record<string, number>> = {
  'engine/test/redis/failover.test.ts': 100,
  'engine/test/apply/adversity.test.ts': 75,
  'engine/test/consume/consumer-faults.test.ts': 70,
  'chaos/test/controls.test.ts': 60,
  'checkin/test/start/start.test.ts': 60,
  'engine/test/redis/optional-commands.test.ts': 60,
  'checkin/test/crash/recovery.test.ts': 45,
  'chaos/test/chaos.test.ts': 40,
  'checkin/test/crash/kill-storm.test.ts': 40,
  'engine/test/apply/push-down-laws.test.ts': 40,
  'engine/test/redis/connection.test.ts': 40,
  'engine/test/redis/refusals.test.ts': 40,
  'checkin/test/crash/lost-group.test.ts': 30,
  'engine/test/handle/deadly-entry.test.ts': 30,
  'checkin/test/operated/doctor-command.test.ts': 30,
  'ops/test/alerts/alerting.test.ts': 30,
  'checkin/test/crash/push-down.test.ts': 28,
  'engine/test/consume/push-down.test.ts': 25,
  'checkin/test/crash/cut-connection.test.ts': 24,
  'checkin/test/crash/outages.test.ts': 24,
  'checkin/test/crash/false-poison.test.ts': 20,
  'checkin/test/crash/scaling.test.ts': 20,
  'engine/test/consume/lease.test.ts': 20,
  'bench/test/measurements.test.ts': 17,
  'checkin/test/embedded/embedded.test.ts': 17,
  'checkin/test/crash/clock.test.ts': 16,
  'checkin/test/crash/trim-race.test.ts': 16,
  'checkin/test/receiver/http/broken-requests.test.ts': 16,
  'checkin/test/cli/npm-flags.test.ts': 15,
  'checkin/test/crash/redis-restart.test.ts': 14,
  'engine/test/append/append-replicas.test.ts': 14,
  'checkin/test/cli/commands.test.ts': 13,
  'checkin/test/crash/zombie.test.ts': 13,
  'checkin/test/cli/api-keys-command.test.ts': 12,
  'checkin/test/operated/groups.test.ts': 12,
  'checkin/test/cli/load-command.test.ts': 12,
  'checkin/test/operated/pause-command.test.ts': 12,
  'checkin/test/operated/place.test.ts': 12,
  'checkin/test/crash/redrive.test.ts': 12,
  'checkin/test/crash/torn-file.test.ts': 12,
  'checkin/test/processors/processors.test.ts': 12,
  'checkin/test/receiver/operation/workers.test.ts': 12,
  'engine/test/consume/lease-outage.test.ts': 12,
  'bench/test/command.test.ts': 10,
}

/** Of a file that is not listed. */
const otherSeconds = 3

export function secondsOf(test: string): number {
  return slowTests[test] ?? otherSeconds
}

/**
 * The order for a run: the slow files first, the slowest of them at the very beginning, so that no run ends with one file that all others
 * wait for; and between them the others, spread evenly, as slow files that run side by side would take the machine from each other.
 */
export function inOrder(tests: readonly string[]): string[] {
  const slow = tests.filter((test) => test in slowTests)
  const others = tests.filter((test) => !(test in slowTests))
  if (slow.length === 0) return others
  slow.sort((a, b) => secondsOf(b) - secondsOf(a) || (a < b ? -1 : 1))
  const all = slow.reduce((sum, test) => sum + secondsOf(test), 0)
  let begun = 0
  let at = 0
  return slow.flatMap((test) => {
    begun += secondsOf(test)
    const next = others.slice(at, Math.round((others.length * begun) / all))
    at += next.length
    return [test, ...next]
  })
}
