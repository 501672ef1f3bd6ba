/** What Prometheus is told about each group. Promise: however often it asks, Redis is asked once a second at most. */
import type { Millrace } from 'millrace'
import { describeAll } from 'millrace-ops'
import type { CheckinModel } from '../../domain/checkins.ts'
import { computedMetric, type RegistryMetric } from './durations.ts'

/** A group at one moment. Null: it is not known. */
export interface GroupSample {
  readonly group: string
  readonly lag: number | null
  /** Seconds since the oldest undelivered entry was appended; 0 without one. */
  readonly lagSeconds: number | null
  readonly pending: number
  readonly oldestPendingSeconds: number | null
  readonly deadLetters: number
  readonly consumersAlive: number
  readonly consumersPaused: number
  readonly isPaused: boolean
}

/** Looks at all groups. @throws {MillraceError} NO_STREAM, WRONG_TYPE. */
export async function sampleGroups(
  millrace: Millrace,
  { checkins }: Pick<CheckinModel, 'checkins'>,
): Promise<GroupSample[]> {
  const { described } = await describeAll(millrace, checkins)
  return await Promise.all(
    described.map(async ({ name, lag, pending, deadLetters, ...ages }): Promise<GroupSample> => {
      const group = millrace.group(checkins, name)
      const [roster, pauses] = await Promise.all([group.roster(), group.pauses()])
      return {
        ...{ group: name, lag, pending, deadLetters },
        lagSeconds: lag === 0 ? 0 : seconds(ages.oldestUndeliveredMs),
        oldestPendingSeconds: pending === 0 ? 0 : seconds(ages.oldestPendingMs),
        consumersAlive: roster.filter(({ state }) => state === 'alive').length,
        consumersPaused: Object.keys(pauses.consumers).length,
        isPaused: pauses.group !== null,
      }
    }),
  )
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000)

const gauges: readonly [name: string, help: string, read: (group: GroupSample) => number | null][] =
  [
    ['lag', 'Entries that the group was not delivered', ({ lag }) => lag],
    ['lag_seconds', 'Age of the oldest of them, by its id', ({ lagSeconds }) => lagSeconds],
    ['pending', 'Entries that are delivered and not acknowledged', ({ pending }) => pending],
    [
      'oldest_pending_seconds',
      'Age of the oldest of them, by its id',
      ({ oldestPendingSeconds }) => oldestPendingSeconds,
    ],
    ['dead_letters', 'Letters that wait for somebody', ({ deadLetters }) => deadLetters],
    ['consumers_alive', 'Consumers whose lease runs', ({ consumersAlive }) => consumersAlive],
    ['consumers_paused', 'Consumers that are paused', ({ consumersPaused }) => consumersPaused],
    ['paused', '1 while the group as a whole is paused', ({ isPaused }) => Number(isPaused)],
  ]

const everyMs = 1000

/** The metrics of the groups; what `read` cannot tell now is missing. */
export function groupMetrics(
  stream: string,
  read: () => Promise<readonly GroupSample[]>,
): RegistryMetric[] {
  let readAt = -Infinity
  let last: Promise<readonly GroupSample[]> = Promise.resolve([])
  const samples = (): Promise<readonly GroupSample[]> => {
    if (performance.now() - readAt < everyMs) return last
    readAt = performance.now()
    // Metrics are asked for most while Redis is away.
    last = read().catch(() => [])
    return last
  }
  return gauges.map(([name, help, valueOf]) =>
    computedMetric({ name: `checkin_group_${name}`, help, type: 'gauge' }, async () =>
      (await samples()).flatMap((sample) => {
        const value = valueOf(sample)
        return value === null ? [] : [{ labels: { stream, group: sample.group }, value }]
      }),
    ),
  )
}
