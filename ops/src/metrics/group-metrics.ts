/**
 * What Prometheus is told of streams and groups, Millrace's own or not. What is not known now is missing. Promise: the number of
 * series is bounded, and what is left out is told.
 */
import type {
  ConsumerSnapshot,
  GroupSnapshot,
  Snapshot,
  StreamSnapshot,
} from '../snapshot/index.ts'
import { chosen, type Bounds, type Chosen } from './bounds.ts'
import type { Recent, RecentLook } from './recent-look.ts'
import {
  computedMetric,
  type Labels,
  type MetricHead,
  type MetricValue,
  type RegistryMetric,
} from './series.ts'

type Gauge<Of> = readonly [
  name: string,
  help: string,
  read: (of: Of, snapshot: Snapshot) => number | null,
]

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000)

const ofStreams: readonly Gauge<StreamSnapshot>[] = [
  ['stream_length', 'Entries in the stream', ({ length }) => length],
  ['stream_entries_added_total', 'Entries ever appended', ({ entriesAdded }) => entriesAdded],
  [
    'stream_trim_headroom_seconds',
    'Until what the slowest group has not finished is trimmed by others, at the present rate; missing where nobody else trims',
    ({ trimHeadroom }) => trimHeadroom?.seconds ?? null,
  ],
]

const ofGroups: readonly Gauge<GroupSnapshot>[] = [
  ['group_lag', 'Entries that the group was not delivered; missing when unknown', ({ lag }) => lag],
  ['group_lag_unknown', '1 while nobody can tell the lag', ({ lag }) => Number(lag === null)],
  [
    'group_lag_seconds',
    'Age of the oldest entry that was not delivered, by its id; 0 without one',
    ({ timeLagMs }) => seconds(timeLagMs),
  ],
  ['group_pending', 'Entries that are delivered and not acknowledged', ({ pending }) => pending],
  [
    'group_oldest_pending_seconds',
    'Age of the oldest of them, by its id; 0 without one',
    ({ pending, oldestPendingMs }) => (pending === 0 ? 0 : seconds(oldestPendingMs)),
  ],
  ['group_managed', '1 when a consumer of Millrace has worked on it', (at) => Number(at.isManaged)],
  [
    'group_idle_seconds',
    'Since a consumer of the group asked for anything; missing without consumers',
    ({ consumers }) => seconds(leastIdleMs(consumers)),
  ],
  ['group_paused', '1 while the group as a whole is paused', (at) => Number(at.pause !== null)],
  [
    'group_paused_seconds',
    'For how long it is; missing while it is not',
    ({ pause }, { atMs }) => (pause === null ? null : Math.max(0, atMs - pause.since) / 1000),
  ],
  ['group_dead_letters', 'Letters that wait for somebody', ({ deadLetters }) => deadLetters],
  [
    'group_newest_dead_letter_timestamp_seconds',
    'When the newest of them was written; missing without one',
    ({ newestDeadLetter }, { atMs }) => {
      const ageMs = newestDeadLetter?.ageMs ?? null
      return ageMs === null ? null : (atMs - ageMs) / 1000
    },
  ],
  [
    'group_done_total',
    'Entries applied or made a dead letter, by the ledger; missing for groups of others',
    ({ doneTotal }) => doneTotal,
  ],
]

const ofConsumers: readonly Gauge<ConsumerSnapshot>[] = [
  ['consumer_pending', 'Entries that are pending for the consumer', ({ pending }) => pending],
  [
    'consumer_idle_seconds',
    'Since the consumer asked for anything',
    ({ idleMs }) => seconds(idleMs),
  ],
  ['consumer_alive', '1 while its lease runs', ({ state }) => Number(state === 'alive')],
]

const ofServer: readonly Gauge<Snapshot>[] = [
  [
    'redis_memory_used_bytes',
    'Memory in use; missing where the user may not ask',
    ({ server }) => server?.usedMemoryBytes ?? null,
  ],
  [
    'redis_memory_max_bytes',
    'Limit of memory; 0: none',
    ({ server }) => server?.maxMemoryBytes ?? null,
  ],
  ['snapshot_duration_seconds', 'How long the last look took', ({ tookMs }) => tookMs / 1000],
]

function leastIdleMs(consumers: readonly ConsumerSnapshot[]): number | null {
  const idle = consumers.map(({ idleMs }) => idleMs)
  return idle.length === 0 ? null : idle.reduce((least, ms) => Math.min(least, ms))
}

/** @param bounds of what is told; consumers only where they say so */
export function groupMetrics(recent: Pick<RecentLook, 'get'>, bounds: Bounds): RegistryMetric[] {
  /** The metrics of one kind of things, each with what to read them of. */
  const all = <Of>(
    gauges: readonly Gauge<Of>[],
    things: (seen: Chosen) => readonly (readonly [Of, Labels])[],
  ): RegistryMetric[] =>
    gauges.map(([name, help, read]) =>
      metricOf([name, help], recent, ({ snapshot }) => {
        if (snapshot === null) return []
        return things(chosen(snapshot, bounds)).flatMap(([of, labels]) => {
          const value = read(of, snapshot)
          return value === null ? [] : [{ labels, value }]
        })
      }),
    )
  return [
    ...all(ofStreams, ({ streams }) => streams),
    ...all(ofGroups, ({ groups }) => groups),
    metricOf(['group_consumers', 'Consumers of the group by state'], recent, ({ snapshot }) =>
      snapshot === null ? [] : chosen(snapshot, bounds).groups.flatMap(statesOf),
    ),
    ...(bounds.consumersMax > 0 ? all(ofConsumers, ({ consumers }) => consumers) : []),
    ...all(ofServer, ({ snapshot }) => [[snapshot, {}]]),
    ...ofLook(recent, bounds),
  ]
}

function statesOf([{ consumerCounts }, labels]: readonly [GroupSnapshot, Labels]): MetricValue[] {
  const { alive, expired, noLease, paused } = consumerCounts
  return Object.entries({ alive, expired, 'no-lease': noLease, paused }).map(([state, value]) => ({
    labels: { ...labels, state },
    value,
  }))
}

/** What is told also while nothing is known. */
function ofLook(recent: Pick<RecentLook, 'get'>, bounds: Bounds): RegistryMetric[] {
  const age = 'Age of the last look that succeeded; missing before the first'
  const leftOut = 'What is there and not told, as it is too much; see --streams-max and its like'
  return [
    metricOf(['snapshot_age_seconds', age], recent, ({ ageMs }) =>
      ageMs === null ? [] : [{ labels: {}, value: ageMs / 1000 }],
    ),
    metricOf(['snapshot_left_out', leftOut], recent, ({ snapshot }) =>
      snapshot === null
        ? []
        : Object.entries(chosen(snapshot, bounds).leftOut).map(([kind, value]) => ({
            labels: { kind },
            value,
          })),
    ),
  ]
}

function metricOf(
  [name, help]: readonly [name: string, help: string],
  recent: Pick<RecentLook, 'get'>,
  values: (seen: Recent) => MetricValue[],
): RegistryMetric {
  const type = name.endsWith('_total') ? 'counter' : 'gauge'
  const head: MetricHead = { name: `millrace_${name}`, help, type }
  return computedMetric(head, async () => values(await recent.get()))
}
