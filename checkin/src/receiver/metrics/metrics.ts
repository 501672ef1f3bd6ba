/** What the receiver counts for Prometheus. Promise: counting costs a request well below a microsecond or two. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Millrace, PressureReason, PressureSample, PressureState } from 'millrace'
import { Registry, type Metric } from 'prom-client'
import { whenOver } from '../http/answer-order.ts'
import {
  type Bounds,
  DurationSeries,
  groupMetrics,
  Metrics,
  RecentLook,
  watchConnection,
  type MetricType,
  type MetricValue,
  type MetricValues,
} from 'millrace-ops/metrics'
import type { Snapshots } from 'millrace-ops/snapshot'
import { checkinGroupMetrics } from './group-metrics.ts'

/** What became of a check-in that somebody sent. `refused`: the key or token did not allow it;
 * `held-back`: it was part of a batch that was to be recorded as a whole, and another one was refused. */
export type IngestOutcome =
  | 'accepted'
  | 'replayed'
  | 'duplicate'
  | 'invalid'
  | 'held-back'
  | 'refused'
  | 'limited'
  | 'unavailable'

/** Check-ins by what became of them; those of which there was none are missing. */
export type IngestCounts = Readonly<Record<string, number>>

/** The pressure as metrics show it. */
export interface PressureReading {
  readonly state: PressureState
  readonly sample?: PressureSample
}

/** Counts and times the requests of one route. */
export interface RouteTimes {
  /** @param isByItem its check-ins were counted one by one, so that its status does not count. */
  answered(status: number, ms: number, counting?: { readonly isByItem?: boolean }): void
}

const bounds: Bounds = { streamsMax: 1, groupsMax: 1000, consumersMax: 0 }
const reasons: readonly PressureReason[] = ['backlog', 'memory', 'event-loop']

export class ReceiverMetrics {
  readonly #own = new Metrics()
  /** The same for all workers, so one of them is enough to tell it. */
  readonly #groups = new Registry()
  readonly #requests: DurationSeries[] = []
  readonly #routes = new Map<string, RouteTimes>()
  readonly #ingest = new Map<IngestOutcome, number>()
  readonly #turnedAway = new Map<string, number>()
  readonly #redis = new DurationSeries({})
  /** Answers whose check-ins were counted one by one. */
  readonly #byItem = new WeakSet<object>()

  constructor() {
    this.#add('http_request_duration_seconds', 'histogram', 'Time from request to answer', () =>
      this.#requests.flatMap((series) => series.values('checkin_http_request_duration_seconds')),
    )
    this.#add('ingest_total', 'counter', 'Check-ins that were sent, by what became of them', () =>
      [...this.#ingest].map(([outcome, value]) => ({ labels: { outcome }, value })),
    )
    this.#add('turned_away_total', 'counter', 'Requests without the right to what they ask', () =>
      [...this.#turnedAway].map(([reason, value]) => ({ labels: { reason }, value })),
    )
    this.#add('redis_call_duration_seconds', 'histogram', 'Time from call to reply of Redis', () =>
      this.#redis.values('checkin_redis_call_duration_seconds'),
    )
  }

  /** Counts check-ins. */
  ingested(outcome: IngestOutcome, count = 1): void {
    this.#ingest.set(outcome, (this.#ingest.get(outcome) ?? 0) + count)
  }

  /** What became of the check-ins that were sent. */
  get ingestCounts(): IngestCounts {
    return Object.fromEntries(this.#ingest)
  }

  /** Counts check-ins of a request that has many; its status does not count then. */
  ingestedItems(reply: object, outcome: IngestOutcome, count = 1): void {
    this.#byItem.add(reply)
    if (count > 0) this.ingested(outcome, count)
  }

  /** Counts a request that was turned away; of reasons there are few. */
  turnedAway(reason: string): void {
    this.#turnedAway.set(reason, (this.#turnedAway.get(reason) ?? 0) + 1)
  }

  /** Adds what is known of the keys of tokens. @returns what counts the looks at them. */
  watchKeys(ageMs: () => number | undefined): (outcome: 'read' | 'failed') => void {
    const looks = { read: 0, failed: 0 }
    this.#add('jwks_looks_total', 'counter', 'Times that the keys of tokens were asked for', () =>
      Object.entries(looks).map(([outcome, value]) => ({ labels: { outcome }, value })),
    )
    this.#add('jwks_age_seconds', 'gauge', 'Age of the keys that tokens are checked with', () => {
      const age = ageMs()
      return age === undefined ? [] : [{ labels: {}, value: age / 1000 }]
    })
    return (outcome) => {
      looks[outcome] += 1
    }
  }

  redisCall(ms: number): void {
    this.#redis.record(ms)
  }

  /**
   * Adds whether Redis is there for us.
   * @param isRefusing whether it answers and takes no check-ins
   */
  watchConnection(
    redis: Pick<Millrace, 'isConnected' | 'refusal' | 'reconnects'>,
    isRefusing: () => Promise<boolean>,
  ): void {
    watchConnection(this.#own, redis, isRefusing)
    const help = '1 while Redis is unreachable, or refuses all work'
    this.#add('redis_unavailable', 'gauge', help, () => [
      { labels: { reason: 'unreachable' }, value: Number(!redis.isConnected) },
      { labels: { reason: 'refusing' }, value: Number(redis.refusal !== undefined) },
    ])
  }

  /** Adds what is known of the stream; `stream` is its key. */
  watch(stream: string, pressure: PressureReading, streamLength: () => Promise<number>): void {
    const labels = { stream }
    const gauge = (value: number | null | undefined): MetricValue[] =>
      value === null || value === undefined ? [] : [{ labels, value }]
    this.#add('stream_length', 'gauge', 'Entries of the stream', async () =>
      // Metrics are asked for most while Redis is away: this one is missing then.
      gauge(await streamLength().catch(() => undefined)),
    )
    this.#add(
      'stream_backlog',
      'gauge',
      'Entries that wait or are pending, in the group behind most',
      () => gauge(pressure.sample?.backlog),
    )
    this.#add('redis_memory_share', 'gauge', 'Share of maxmemory in use', () =>
      gauge(pressure.sample?.memoryShare),
    )
    this.#add('pressure', 'gauge', '1 while check-ins are refused for this reason', () =>
      reasons.map((reason) => ({
        labels: { stream, reason },
        value: Number(pressure.state.kind === 'overloaded' && pressure.state.reason === reason),
      })),
    )
  }

  /** Adds what is known of the stream's groups. */
  watchGroups(snapshots: Pick<Snapshots, 'take' | 'known'>): void {
    const recent = new RecentLook(snapshots)
    for (const metric of [...checkinGroupMetrics(recent), ...groupMetrics(recent, bounds)]) {
      this.#groups.registerMetric(metric as unknown as Metric)
    }
  }

  /** Counts and times all requests to routes that are added afterwards. */
  observe(app: FastifyInstance): void {
    app.addHook('onRoute', (route) => {
      // Routes of many methods only refuse.
      const method = typeof route.method === 'string' ? route.method : 'other'
      const times = this.route(method, route.url, { isIngest: route.config?.requires === 'ingest' })
      route.onResponse = (_request, reply, done) => {
        times.answered(reply.statusCode, reply.elapsedTime, { isByItem: this.#byItem.has(reply) })
        done()
      }
    })
    // Nobody is told the end of an answer that reaches nobody.
    app.addHook('onSend', (request, reply, payload, done) => {
      whenOver(reply.raw, () => {
        if (!reply.raw.writableFinished) this.#countCut(request, reply)
      })
      done(null, payload)
    })
  }

  #countCut({ method, routeOptions }: FastifyRequest, reply: FastifyReply): void {
    const { url } = routeOptions
    const times = this.#routes.get(`${method} ${url}`) ?? this.#routes.get(`other ${url}`)
    times?.answered(reply.statusCode, reply.elapsedTime, { isByItem: this.#byItem.has(reply) })
  }

  /** What counts and times the requests of one route, whichever way they take. */
  route(method: string, route: string, { isIngest }: { readonly isIngest: boolean }): RouteTimes {
    const known = this.#routes.get(`${method} ${route}`)
    if (known !== undefined) return known
    const byStatus = new Map<number, DurationSeries>()
    const times: RouteTimes = {
      answered: (status, ms, { isByItem = false } = {}) => {
        const series = byStatus.get(status) ?? this.#newSeries(byStatus, { route, method, status })
        series.record(ms)
        if (isIngest && status >= 400 && !isByItem) this.ingested(outcomeOf(status))
      },
    }
    this.#routes.set(`${method} ${route}`, times)
    return times
  }

  /** In the text format of Prometheus. */
  async text(): Promise<string> {
    const [own, groups] = await Promise.all([this.#own.text(), this.#groups.metrics()])
    return `${own}${groups}`
  }

  /** For adding up several processes, as prom-client does it; one of them tells of the groups. */
  async json({ withGroups }: { readonly withGroups: boolean }): Promise<object[]> {
    const groups = withGroups ? this.#groups.getMetricsAsJSON() : []
    return [...(await this.#own.json()), ...(await groups)]
  }

  get contentType(): string {
    return Metrics.contentType
  }

  #newSeries(
    byStatus: Map<number, DurationSeries>,
    labels: { readonly route: string; readonly method: string; readonly status: number },
  ): DurationSeries {
    const series = new DurationSeries(labels)
    byStatus.set(labels.status, series)
    this.#requests.push(series)
    return series
  }

  #add(name: string, type: MetricType, help: string, values: MetricValues): void {
    this.#own.add({ name: `checkin_${name}`, type, help }, values)
  }
}

/** What a refusal with this status counts as. */
export function outcomeOf(status: number): IngestOutcome {
  if (status === 401 || status === 403) return 'refused'
  if (status === 409) return 'duplicate'
  if (status === 424) return 'held-back'
  if (status === 429) return 'limited'
  return status >= 500 ? 'unavailable' : 'invalid'
}
