/** All streams and groups at one look: which of them needs somebody. */
import {
  BoolYesNo,
  BytesIEC,
  CountsPerSecond,
  Seconds,
  Short,
} from '@grafana/grafana-foundation-sdk/units'
import { framed, labelVariable } from './frame.ts'
import { groupTable, lines, stat, timeline } from './panels.ts'

const ofStream = 'stream=~"$stream"'
const ofGroup = 'stream=~"$stream",group=~"$group"'
/** Several processes may tell of the same group. */
const perGroup = (metric: string): string => `max by (stream, group) (${metric}{${ofGroup}})`
const perStream = (metric: string): string => `max by (stream) (${metric}{${ofStream}})`

const now = [
  stat({
    title: 'Largest time lag',
    description:
      'Age of the oldest entry that a group was not delivered, by its id, in the group that is behind most.',
    unit: Seconds,
    runbook: 'TimeLagHigh',
    width: 4,
    warns: 10,
    bad: 30,
    query: `max(millrace_group_lag_seconds{${ofGroup}})`,
  }),
  stat({
    title: 'Groups without consumers',
    description:
      'Groups in which something waits and no lease runs. Groups of others have no leases: see their time lag.',
    unit: Short,
    runbook: 'NoConsumers',
    width: 4,
    bad: 1,
    query: `count((${perGroup('millrace_group_pending')} > 0 or ${perGroup('millrace_group_lag_seconds')} > 0)
  and ${perGroup('millrace_group_managed')} == 1
  and max by (stream, group) (millrace_group_consumers{${ofGroup},state="alive"}) == 0) or vector(0)`,
  }),
  stat({
    title: 'Undelivered',
    description:
      'Entries that groups were not delivered yet. An entry counts once for each group; groups whose lag is unknown do not count.',
    unit: Short,
    runbook: 'LagGrowing',
    width: 4,
    query: `sum(${perGroup('millrace_group_lag')})`,
  }),
  stat({
    title: 'Pending',
    description: 'Entries that are delivered and not acknowledged.',
    unit: Short,
    runbook: 'OldestPendingHigh',
    width: 4,
    query: `sum(${perGroup('millrace_group_pending')})`,
  }),
  stat({
    title: 'Dead letters',
    description: 'Entries that could not be processed and wait for somebody.',
    unit: Short,
    runbook: 'DeadLettersNew',
    width: 4,
    warns: 1,
    bad: 100,
    query: `sum(${perGroup('millrace_group_dead_letters')})`,
  }),
  stat({
    title: 'Age of what is shown',
    description:
      'Seconds since anybody last looked at Redis and told of it. All other panels are as old as that. Nothing at all: no process is asked, or none answers.',
    unit: Seconds,
    runbook: 'MetricsMissing',
    width: 4,
    warns: 30,
    bad: 120,
    without: 'nobody tells',
    query:
      'min(millrace_snapshot_age_seconds + (time() - timestamp(millrace_snapshot_age_seconds)))',
  }),
]

const groups = [
  groupTable({
    title: 'Groups',
    description:
      'Each group of each stream, the one that is behind most in time first. A click on its name shows it alone.',
    unit: Short,
    width: 24,
    height: 10,
    sortBy: 'time lag',
    columns: [
      {
        name: 'time lag',
        query: perGroup('millrace_group_lag_seconds'),
        unit: Seconds,
        warns: 10,
        bad: 30,
      },
      { name: 'undelivered', query: perGroup('millrace_group_lag'), unit: Short },
      { name: 'pending', query: perGroup('millrace_group_pending'), unit: Short },
      {
        name: 'oldest pending',
        query: perGroup('millrace_group_oldest_pending_seconds'),
        unit: Seconds,
        warns: 60,
        bad: 300,
      },
      {
        name: 'alive',
        query: `max by (stream, group) (millrace_group_consumers{${ofGroup},state="alive"})`,
        unit: Short,
      },
      {
        name: 'dead letters',
        query: perGroup('millrace_group_dead_letters'),
        unit: Short,
        warns: 1,
        bad: 100,
      },
      { name: 'paused', query: perGroup('millrace_group_paused'), unit: BoolYesNo, bad: 1 },
      {
        name: 'lag unknown',
        query: perGroup('millrace_group_lag_unknown'),
        unit: BoolYesNo,
        bad: 1,
      },
    ],
  }),
]

const overTime = [
  lines({
    title: 'Time lag',
    description: 'Age of the oldest undelivered entry of each group, by its id.',
    unit: Seconds,
    runbook: 'TimeLagHigh',
    width: 12,
    queries: [['{{stream}} {{group}}', perGroup('millrace_group_lag_seconds')]],
  }),
  lines({
    title: 'Undelivered entries',
    description: 'Of each group. A line that only goes up: more comes than is done.',
    unit: Short,
    runbook: 'LagGrowing',
    width: 12,
    queries: [['{{stream}} {{group}}', perGroup('millrace_group_lag')]],
  }),
  lines({
    title: 'Entries in and done, a second',
    description:
      'What is appended to each stream, and what its groups have finished: applied, or made a dead letter. Of groups of others nobody counts what is done.',
    unit: CountsPerSecond,
    runbook: 'LagGrowing',
    width: 12,
    queries: [
      [
        'in: {{stream}}',
        `max by (stream) (rate(millrace_stream_entries_added_total{${ofStream}}[$__rate_interval]))`,
      ],
      [
        'done: {{stream}} {{group}}',
        `max by (stream, group) (rate(millrace_group_done_total{${ofGroup}}[$__rate_interval]))`,
      ],
    ],
  }),
  timeline({
    title: 'Paused, and lag unknown',
    description:
      'When somebody had paused a group, and when nobody could count what it was not delivered.',
    unit: BoolYesNo,
    runbook: 'PausedTooLong',
    width: 12,
    queries: [
      ['paused: {{stream}} {{group}}', perGroup('millrace_group_paused')],
      ['unknown: {{stream}} {{group}}', perGroup('millrace_group_lag_unknown')],
    ],
  }),
]

const server = [
  lines({
    title: 'Entries of streams',
    description: 'Length of each stream. It grows for ever where nobody trims.',
    unit: Short,
    width: 8,
    queries: [['{{stream}}', perStream('millrace_stream_length')]],
  }),
  lines({
    title: 'Until trimming overtakes a group',
    description:
      'Where somebody trims by length (MAXLEN): time until that reaches what the slowest group has not finished. Empty: nobody does.',
    unit: Seconds,
    runbook: 'TrimRisk',
    width: 8,
    without: 'nobody trims by length',
    queries: [
      ['{{stream}}', `min by (stream) (millrace_stream_trim_headroom_seconds{${ofStream}})`],
    ],
  }),
  lines({
    title: 'Memory of Redis',
    description:
      'In use, and the limit (maxmemory), if there is one. At the limit nothing is appended, or keys are evicted.',
    unit: BytesIEC,
    runbook: 'WritesRefused',
    width: 8,
    queries: [
      ['used', 'max(millrace_redis_memory_used_bytes)'],
      ['limit', 'max(millrace_redis_memory_max_bytes) > 0'],
    ],
  }),
  timeline({
    title: 'Redis is away, or refuses writes',
    description:
      'Away: no process gets an answer. Refuses: it answers some process and takes no writes.',
    unit: BoolYesNo,
    runbook: 'RedisUnreachable',
    width: 12,
    height: 6,
    queries: [
      ['away', '1 - max(millrace_redis_up)'],
      ['refuses writes', 'max(millrace_writes_refused)'],
    ],
  }),
  lines({
    title: 'How long a look at Redis takes',
    description: 'Time to read streams and groups once, of each process that tells of them.',
    unit: Seconds,
    width: 6,
    height: 6,
    queries: [['{{job}} {{instance}}', 'millrace_snapshot_duration_seconds']],
  }),
  lines({
    title: 'Left out',
    description:
      'Streams, groups and consumers that are there and not told of, as they are too many: --streams-max and --groups-max of the exporter.',
    unit: Short,
    width: 6,
    height: 6,
    without: 'nothing',
    queries: [['{{kind}}', 'max by (kind) (millrace_snapshot_left_out) > 0']],
  }),
]

export const overview = framed({
  uid: 'millrace-overview',
  title: 'Millrace: streams and groups',
  description:
    'Streams of Redis and their consumer groups, whoever works on them: who is behind, who is gone, what could not be processed.',
  variables: [
    labelVariable('stream', 'millrace_stream_length', { isMany: true }),
    labelVariable('group', 'millrace_group_pending{stream=~"$stream"}', { isMany: true }),
  ],
  rows: { Now: now, Groups: groups, 'Over time': overTime, Server: server },
})
