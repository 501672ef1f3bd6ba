/**
 * What Prometheus is told of each group under the service's own names, which stay for one version more beside those of
 * `millrace-ops/metrics`.
 */
import { computedMetric, type RecentLook, type RegistryMetric } from 'millrace-ops/metrics'
import type { GroupSnapshot } from 'millrace-ops/snapshot'

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000)

const gauges: readonly [
  name: string,
  help: string,
  read: (group: GroupSnapshot) => number | null,
][] = [
  ['lag', 'Entries that the group was not delivered', ({ lag }) => lag],
  ['lag_seconds', 'Age of the oldest of them, by its id', ({ timeLagMs }) => seconds(timeLagMs)],
  ['pending', 'Entries that are delivered and not acknowledged', ({ pending }) => pending],
  [
    'oldest_pending_seconds',
    'Age of the oldest of them, by its id',
    ({ pending, oldestPendingMs }) => (pending === 0 ? 0 : seconds(oldestPendingMs)),
  ],
  ['dead_letters', 'Letters that wait for somebody', ({ deadLetters }) => deadLetters],
  ['consumers_alive', 'Consumers whose lease runs', ({ consumerCounts }) => consumerCounts.alive],
  ['consumers_paused', 'Consumers that are paused', ({ consumerCounts }) => consumerCounts.paused],
  ['paused', '1 while the group as a whole is paused', ({ pause }) => Number(pause !== null)],
]

/** The metrics of the groups; what cannot be told now is missing. */
export function checkinGroupMetrics(recent: Pick<RecentLook, 'get'>): RegistryMetric[] {
  return gauges.map(([name, help, valueOf]) =>
    computedMetric({ name: `checkin_group_${name}`, help, type: 'gauge' }, async () => {
      const { snapshot } = await recent.get()
      const groups = snapshot?.streams.flatMap((stream) => stream.groups) ?? []
      return groups.flatMap((group) => {
        const value = valueOf(group)
        return value === null
          ? []
          : [{ labels: { stream: group.stream, group: group.name }, value }]
      })
    }),
  )
}
