/** The receiver of the check-in service: what is sent, what becomes of it, how fast it answers. */
import {
  BoolYesNo,
  BytesIEC,
  CountsPerSecond,
  PercentUnit,
  RequestsPerSecond,
  Seconds,
  Short,
} from '@grafana/grafana-foundation-sdk/units'
import { framed, labelVariable } from './frame.ts'
import { lines, stat, timeline } from './panels.ts'

const ofJob = 'job=~"$job"'
const rate = (metric: string, matchers = ofJob): string =>
  `rate(${metric}{${matchers}}[$__rate_interval])`
const refused = `sum(${rate('checkin_ingest_total', `${ofJob},outcome="unavailable"`)})`
const sent = `sum(${rate('checkin_ingest_total')})`
const quantile = (share: number, histogram: string, by = ''): string =>
  `histogram_quantile(${share}, sum by (le${by}) (${rate(`${histogram}_bucket`)}))`

const now = [
  stat({
    title: 'Check-ins, a second',
    description: 'All that was sent, whatever became of it.',
    unit: CountsPerSecond,
    width: 5,
    query: sent,
  }),
  stat({
    title: 'Refused through no fault of the sender',
    description: 'Share of the check-ins that got an answer 500 or 503.',
    unit: PercentUnit,
    runbook: 'IngestErrors',
    width: 5,
    warns: 0.001,
    bad: 0.01,
    query: `(${refused} or vector(0)) / (${sent} > 0)`,
    without: 'nothing is sent',
  }),
  stat({
    title: '99 % of answers within',
    description: 'From the request to the end of the answer, over all routes.',
    unit: Seconds,
    width: 5,
    query: quantile(0.99, 'checkin_http_request_duration_seconds'),
  }),
  stat({
    title: 'Waiting behind it',
    description:
      'Entries of the stream that are undelivered or pending, in the group with most of them.',
    unit: Short,
    runbook: 'LagGrowing',
    width: 5,
    query: `max(checkin_stream_backlog{${ofJob}})`,
  }),
  stat({
    title: 'Age of what is shown',
    description: 'Seconds since Prometheus last got numbers of any receiver.',
    unit: Seconds,
    runbook: 'MetricsMissing',
    width: 4,
    warns: 60,
    bad: 180,
    without: 'nobody tells',
    query: `time() - max(timestamp(checkin_redis_unavailable{${ofJob}}))`,
  }),
]

const intake = [
  lines({
    title: 'Check-ins by what became of them, a second',
    description:
      'Those of batches and streams are counted one by one. Unavailable: 500 or 503. Limited: 429. Held-back: another one of the batch was refused.',
    unit: CountsPerSecond,
    runbook: 'IngestErrors',
    width: 12,
    queries: [['{{outcome}}', `sum by (outcome) (${rate('checkin_ingest_total')})`]],
  }),
  lines({
    title: 'Requests turned away, a second',
    description: 'Without the right to what they asked, by reason.',
    unit: RequestsPerSecond,
    width: 12,
    without: 'none was turned away',
    queries: [['{{reason}}', `sum by (reason) (${rate('checkin_turned_away_total')})`]],
  }),
  lines({
    title: 'Requests by route, a second',
    description: 'By route, method and status.',
    unit: RequestsPerSecond,
    width: 12,
    queries: [
      [
        '{{method}} {{route}} {{status}}',
        `sum by (method, route, status) (${rate('checkin_http_request_duration_seconds_count')})`,
      ],
    ],
  }),
  lines({
    title: '99 % of answers within, by route',
    description: 'From the request to the end of the answer.',
    unit: Seconds,
    width: 12,
    queries: [
      [
        '{{method}} {{route}}',
        quantile(0.99, 'checkin_http_request_duration_seconds', ', method, route'),
      ],
    ],
  }),
]

const behind = [
  timeline({
    title: 'Refusing, and Redis',
    description:
      'When check-ins were refused because of backlog, memory or event loop; when Redis was unreachable, or refused work.',
    unit: BoolYesNo,
    runbook: 'WritesRefused',
    width: 12,
    queries: [
      ['refusing: {{reason}}', `max by (reason) (checkin_pressure{${ofJob}})`],
      ['Redis: {{reason}}', `max by (reason) (checkin_redis_unavailable{${ofJob}})`],
    ],
  }),
  lines({
    title: 'Calls to Redis',
    description: 'From the call to the reply.',
    unit: Seconds,
    width: 12,
    queries: [
      ['half of them within', quantile(0.5, 'checkin_redis_call_duration_seconds')],
      ['99 % within', quantile(0.99, 'checkin_redis_call_duration_seconds')],
    ],
  }),
  lines({
    title: 'Backlog and length of the stream',
    description:
      'Entries that are undelivered or pending in the group with most of them, and entries of the stream.',
    unit: Short,
    runbook: 'LagGrowing',
    width: 12,
    queries: [
      ['backlog', `max(checkin_stream_backlog{${ofJob}})`],
      ['length', `max(checkin_stream_length{${ofJob}})`],
    ],
  }),
  lines({
    title: 'Memory of Redis',
    description: 'Share of maxmemory in use. Empty: there is no limit.',
    unit: PercentUnit,
    width: 12,
    without: 'there is no limit',
    queries: [['used', `max(checkin_redis_memory_share{${ofJob}})`]],
  }),
]

const processes = [
  lines({
    title: 'CPU',
    description: 'Seconds of CPU in a second: 1 is one core.',
    unit: Short,
    width: 8,
    queries: [['{{instance}}', rate('process_cpu_seconds_total')]],
  }),
  lines({
    title: 'Event loop',
    description:
      'By how much 99 % of timers are late, at most. Above some ten milliseconds all requests wait.',
    unit: Seconds,
    width: 8,
    queries: [['{{instance}}', `nodejs_eventloop_lag_p99_seconds{${ofJob}}`]],
  }),
  lines({
    title: 'Memory',
    description: 'Resident memory of the processes.',
    unit: BytesIEC,
    width: 8,
    queries: [['{{instance}}', `process_resident_memory_bytes{${ofJob}}`]],
  }),
]

export const receiver = framed({
  uid: 'millrace-receiver',
  title: 'Millrace: receiver of check-ins',
  description:
    'The HTTP receiver of the check-in service: what is sent, what becomes of it, and how fast it answers.',
  variables: [labelVariable('job', 'checkin_redis_unavailable', { isMany: true })],
  rows: { Now: now, Intake: intake, 'Behind it': behind, Processes: processes },
})
