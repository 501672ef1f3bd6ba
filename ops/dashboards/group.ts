/** One group: how far behind, who works on it, how long entries take. */
import {
  BoolYesNo,
  CountsPerSecond,
  DateTimeFromNow,
  Seconds,
  Short,
} from '@grafana/grafana-foundation-sdk/units'
import { framed, labelVariable } from './frame.ts'
import { lines, stat, timeline } from './panels.ts'

const it = 'stream="$stream",group="$group"'
const max = (metric: string): string => `max(${metric}{${it}})`
const quantile = (share: number, histogram: string, by = ''): string =>
  `histogram_quantile(${share}, sum by (le${by}) (rate(${histogram}_bucket{${it}}[$__rate_interval])))`

const now = [
  stat({
    title: 'Time lag',
    description: 'Age of the oldest undelivered entry, by its id. 0: nothing is undelivered.',
    unit: Seconds,
    runbook: 'TimeLagHigh',
    width: 4,
    warns: 10,
    bad: 30,
    query: max('millrace_group_lag_seconds'),
  }),
  stat({
    title: 'Undelivered',
    description: 'Entries that the group was not delivered yet.',
    unit: Short,
    runbook: 'LagGrowing',
    width: 4,
    without: 'unknown',
    query: max('millrace_group_lag'),
  }),
  stat({
    title: 'Until nothing waits',
    description:
      'If it goes on as in the last ten minutes. Empty: it does not get less, or nothing waits.',
    unit: Seconds,
    runbook: 'LagGrowing',
    width: 4,
    without: '-',
    query: `${max('millrace_group_lag')} / (max(-deriv(millrace_group_lag{${it}}[10m])) > 0) > 0`,
  }),
  stat({
    title: 'Oldest pending',
    description: 'Age of the oldest entry that is delivered and not acknowledged, by its id.',
    unit: Seconds,
    runbook: 'OldestPendingHigh',
    width: 4,
    warns: 60,
    bad: 300,
    without: 'nothing is pending',
    query: max('millrace_group_oldest_pending_seconds'),
  }),
  stat({
    title: 'Newest dead letter',
    description: 'When an entry last could not be processed.',
    unit: DateTimeFromNow,
    runbook: 'DeadLettersNew',
    width: 4,
    without: 'there is none',
    query: `${max('millrace_group_newest_dead_letter_timestamp_seconds')} * 1000`,
  }),
  stat({
    title: 'Age of what is shown',
    description:
      'Seconds since anybody last looked at Redis and told of it. All other panels are as old as that.',
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

const waits = [
  lines({
    title: 'Time lag, and age of the oldest pending entry',
    description:
      'By their ids. Both grow together while old entries are worked off; pending alone: work on an entry hangs.',
    unit: Seconds,
    runbook: 'OldestPendingHigh',
    width: 12,
    queries: [
      ['undelivered', max('millrace_group_lag_seconds')],
      ['pending', max('millrace_group_oldest_pending_seconds')],
    ],
  }),
  lines({
    title: 'Entries that wait',
    description:
      'Undelivered: nobody has them yet. Pending: delivered and not acknowledged. Dead letters: they could not be processed.',
    unit: Short,
    runbook: 'LagGrowing',
    width: 12,
    queries: [
      ['undelivered', max('millrace_group_lag')],
      ['pending', max('millrace_group_pending')],
      ['dead letters', max('millrace_group_dead_letters')],
    ],
  }),
  lines({
    title: 'In and done, a second',
    description:
      'Appended to the stream, and finished by the group: applied, or made a dead letter. Of groups of others nobody counts what is done.',
    unit: CountsPerSecond,
    runbook: 'LagGrowing',
    width: 12,
    queries: [
      ['in', 'max(rate(millrace_stream_entries_added_total{stream="$stream"}[$__rate_interval]))'],
      ['done', `max(rate(millrace_group_done_total{${it}}[$__rate_interval]))`],
    ],
  }),
  lines({
    title: 'Consumers',
    description:
      'Alive: the lease runs. Expired: it ran out, others take what was pending. No-lease: stopped in order, or none of Millrace.',
    unit: Short,
    runbook: 'NoConsumers',
    width: 12,
    queries: [['{{state}}', `max by (state) (millrace_group_consumers{${it}})`]],
  }),
  lines({
    title: 'Since anybody of the group asked for entries',
    description:
      'The smallest idle time of its consumers, as the server tells it. In groups of others this is the only sign of life.',
    unit: Seconds,
    runbook: 'NoConsumers',
    width: 12,
    queries: [['idle', `min(millrace_group_idle_seconds{${it}})`]],
  }),
  timeline({
    title: 'Paused, and lag unknown',
    description:
      'When somebody had paused the group, and when nobody could count what it was not delivered.',
    unit: BoolYesNo,
    runbook: 'PausedTooLong',
    width: 12,
    queries: [
      ['paused', max('millrace_group_paused')],
      ['lag unknown', max('millrace_group_lag_unknown')],
    ],
  }),
]

const work = [
  lines({
    title: 'What became of entries, a second',
    description:
      'Told by the processes themselves: applied, retried, made dead letters, or superseded (another consumer had them already).',
    unit: CountsPerSecond,
    width: 12,
    queries: [
      ['{{outcome}}', `sum by (outcome) (rate(millrace_processed_total{${it}}[$__rate_interval]))`],
      ['claimed', `sum(rate(millrace_claimed_total{${it}}[$__rate_interval]))`],
    ],
  }),
  lines({
    title: 'From append to applied',
    description: 'From the time in the id of an entry until it took effect: what readers wait for.',
    unit: Seconds,
    runbook: 'TimeLagHigh',
    width: 12,
    queries: [
      ['half of them within', quantile(0.5, 'millrace_append_to_applied_seconds')],
      ['99 % within', quantile(0.99, 'millrace_append_to_applied_seconds')],
    ],
  }),
  lines({
    title: 'Calls of the handler, and of the server',
    description:
      'handle: how long a call of the handler takes. apply: how long the server takes for a batch.',
    unit: Seconds,
    runbook: 'OldestPendingHigh',
    width: 12,
    queries: [
      [
        '{{step}}: half of them within',
        quantile(0.5, 'millrace_process_duration_seconds', ', step'),
      ],
      ['{{step}}: 99 % within', quantile(0.99, 'millrace_process_duration_seconds', ', step')],
    ],
  }),
]

export const group = framed({
  uid: 'millrace-group',
  title: 'Millrace: one group',
  description:
    'One consumer group of a stream: how far behind it is, who works on it, how long entries take.',
  variables: [
    labelVariable('stream', 'millrace_stream_length', { isMany: false }),
    labelVariable('group', 'millrace_group_pending{stream="$stream"}', { isMany: false }),
  ],
  rows: { Now: now, 'What waits': waits, Work: work },
})
