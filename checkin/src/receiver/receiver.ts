/** The HTTP receiver. Promise: a 202 goes out only for a check-in that Redis has confirmed, and every request is answered in time. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Millrace } from 'millrace'
import { ApiKeys } from '../access/api-keys.ts'
import type { Log } from '../log.ts'
import { escaped } from '../terminal/words.ts'
import { endConnection, serveInOrder } from './http/answer-order.ts'
import { BoundedCalls, type Bounds } from './limits/bounded-calls.ts'
import { batchRoutes } from './ingest/post-checkins.ts'
import { latestCheckinsRoute } from './queries/get-latest.ts'
import { Life } from './operation/shutdown.ts'
import { collectDocumentation, documentationRoutes } from './operation/openapi.ts'
import { tagReads } from './queries/entity-tag.ts'
import { Failures } from './operation/failures.ts'
import type { GroupSample } from './metrics/group-metrics.ts'
import { guardRoutes, type GuardOptions } from './access/guard.ts'
import { healthRoutes } from './operation/health.ts'
import { KeysInFlight, type IdempotencyLimits } from './ingest/idempotency-key.ts'
import { KeyRing } from './access/key-ring.ts'
import { leaderboardRoutes } from './queries/leaderboards.ts'
import { ReceiverMetrics, type PressureReading } from './metrics/metrics.ts'
import { metricsRoute } from './metrics/metrics-route.ts'
import { nearbyRoute } from './queries/nearby.ts'
import { allowedHosts, allowOrigins, HostCheck, wrongHost } from './http/origins.ts'
import type { ReceiverParts } from './parts.ts'
import { takePlainCheckins } from './ingest/plain-checkins.ts'
import { sendProblem, type Problem } from './http/problem.ts'
import { profileRoutes } from './queries/profiles.ts'
import { SharedBuckets } from './access/shared-buckets.ts'
import { StreamSlots, type StreamLimits } from './limits/stream-slots.ts'
import { RefusalLog } from './operation/refusal-log.ts'
import { securityHeaders } from './http/security-headers.ts'
import { SecurityLog } from './access/security-log.ts'
import { requestLog } from './http/request-log.ts'
import { wrongHead } from './http/request-head.ts'
import { requestIdHeader } from './http/request-id.ts'
import { refuseEarly, refuseOtherAddresses } from './http/resources.ts'
import { listenAtOne, newServer, type Timeouts } from './http/server.ts'
import { checkinRoute } from './ingest/post-checkin.ts'
import { statusRoute } from './queries/get-checkin.ts'
import { watchKeys } from './access/remote-keys-log.ts'
import type { Tokens } from './access/tokens.ts'

export interface ReceiverOptions extends Pick<ReceiverParts, 'millrace' | 'model' | 'group'> {
  readonly log: Log
  /** True: a line for each request, whatever the level of the log is. False: at level `debug` alone; default false. */
  readonly accessLog?: boolean
  /** While it says `overloaded`, check-ins are refused; default: never. */
  readonly pressure?: PressureReading
  /** Of the calls to Redis; default: 10,000 under way at once, 2,000 ms each. */
  readonly bounds?: Partial<Bounds>
  readonly timeouts?: Partial<Timeouts>
  /** Connections at once; default 4,096. */
  readonly connectionsMax?: number
  readonly access?: AccessOptions
  /** How many streams of check-ins may be open. */
  readonly streams?: Partial<StreamLimits>
  /** Replicas that must have a check-in before it is answered with 202; default 0. */
  readonly replicas?: number
  /** Default: keys are remembered for 24 hours, 5,000,000 of them. */
  readonly idempotency?: Partial<IdempotencyLimits>
  /** How long (ms) everything is served as before once it shall close; default 0. */
  readonly graceMs?: number
  readonly metrics?: ReceiverMetrics
  /** What `GET /metrics` tells of the groups; default: nothing. */
  readonly groups?: () => Promise<readonly GroupSample[]>
  /** What `GET /metrics` answers; default: what this receiver has counted. */
  readonly metricsText?: () => Promise<string>
}

/** Who may use the receiver; the default is everybody. */
export interface AccessOptions {
  /** True: API keys are asked for. */
  readonly apiKeys?: boolean
  /** Tokens are asked for; with `apiKeys`, either will do. */
  readonly tokens?: Tokens | undefined
  /** Check-ins, and requests without any, a second for each client, over all receivers; default: any number. */
  readonly rateLimit?: number | undefined
  /** Origins whose pages may use it (CORS); default: none. */
  readonly origins?: readonly string[]
  /** Names beyond those of the loopback that may stand in Host. */
  readonly hosts?: readonly string[]
  /** Addresses of proxies whose X-Forwarded-For is believed; default: none. */
  readonly trustProxy?: string | undefined
  /** Fields of users and locations that everybody sees beyond the usual ones; default: none. */
  readonly publicFields?: readonly string[]
  /** False: neither `/docs` nor `/openapi.json` is served; default true. */
  readonly docs?: boolean
}

export interface Receiver {
  /**
   * Starts to listen, at one address: `localhost` is 127.0.0.1 where it leads there. Port 0 takes any free one.
   * @returns the address, like `http://127.0.0.1:8082`.
   * @throws the error of `node:net`, with its `code`.
   */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>
  /**
   * Serves as before for `graceMs`, though not ready any more; then stops accepting, says goodbye with each answer, answers what is
   * under way, and closes within 10 s. The connection to Redis stays open. While it starts to listen, it is closed after that.
   */
  close(graceMs?: number): Promise<void>
  /** Resolves when it is closed. */
  readonly closed: Promise<void>
}

/** Builds a receiver; it does nothing until it listens. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { log, access = {}, graceMs = 0 } = options
  const { timeouts, connectionsMax } = options
  const onRequest = requestLog(log, options.accessLog ?? false)
  const app = newServer({ ...timeouts, connectionsMax, trustProxy: access.trustProxy, onRequest })
  const life = new Life()
  const parts = partsOf(options, life)
  collectDocumentation(app)
  parts.metrics.observe(app)
  let hosts = new HostCheck(undefined)
  // One hook for what concerns every request: each more costs every request.
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(requestIdHeader, request.id)
    reply.headers(securityHeaders)
    const problem = wrongHead(request.raw, hosts)
    if (problem === undefined) done()
    else refuseHead(request, reply, { problem, security: parts.security })
  })
  if (access.origins !== undefined && access.origins.length > 0) allowOrigins(app, access.origins)
  watchKeys(access.tokens?.remoteKeys, log, parts.metrics)
  guardRoutes(app, guardOptions(parts, options))
  const failures = new Failures(log, parts.refusals)
  answerErrors(app, failures)
  void app.register((routes, _options, done) => {
    addRoutes(routes, parts)
    if (access.docs !== false) documentationRoutes(routes)
    metricsRoute(routes, parts.metrics, options.metricsText)
    refuseOtherAddresses(routes)
    done()
  })
  if (isOpen(access) && onRequest === undefined) {
    takePlainCheckins(app, parts, { hosts: () => hosts, failures })
  } else {
    serveInOrder(app, life)
  }
  const closed = new Promise<void>((resolve) => {
    app.addHook('onClose', (_app, done) => {
      parts.security.flush()
      resolve()
      done()
    })
  })
  let listening: Promise<string> | undefined
  const listen: Receiver['listen'] = (at) => {
    hosts = new HostCheck(allowedHosts(at.host, access.hosts ?? []))
    listening = listenAtOne(app, at)
    return listening
  }
  const close: Receiver['close'] = async (within = graceMs) => {
    // Closed before that, it would go on to listen, and for ever.
    await listening?.catch(() => undefined)
    await life.close(app, within)
  }
  return { listen, close, closed }
}

function answerErrors(app: FastifyInstance, failures: Failures): void {
  app.setErrorHandler((error, request, reply) => {
    const { retryAfterS } = error as { retryAfterS?: unknown }
    if (typeof retryAfterS === 'number') reply.header('retry-after', retryAfterS)
    const problem = failures.problemOf(error, request)
    // Its rest is not read.
    if (problem.status === 413) endConnection(reply.raw)
    // The framework says `close` of every body that it cannot parse. The end of most is known, and what is behind has begun by now.
    if (reply.raw.shouldKeepAlive && reply.hasHeader('connection')) {
      reply.header('connection', 'keep-alive')
    }
    return sendProblem(reply, problem)
  })
}

function refuseHead(
  request: FastifyRequest,
  reply: FastifyReply,
  { problem, security }: { readonly problem: Problem } & Pick<ReceiverParts, 'security'>,
): void {
  if (problem === wrongHost) security.refused(request, { status: 421, reason: 'wrong-host' })
  // Who says what cannot be understood may mean by the next request something else than we read.
  else endConnection(reply.raw)
  refuseEarly(request, reply, problem)
}

/** True when nobody must show anything, no page of another origin is served, and clients are not counted. */
function isOpen({ apiKeys = false, tokens, rateLimit, origins = [] }: AccessOptions): boolean {
  return !apiKeys && tokens === undefined && rateLimit === undefined && origins.length === 0
}

function partsOf(options: ReceiverOptions, life: Life): ReceiverParts {
  const { millrace, model, group, log, pressure = noPressure } = options
  const { metrics = new ReceiverMetrics() } = options
  const bounds = { inFlightMax: 10_000, withinMs: 2000, ...options.bounds }
  const calls = new BoundedCalls(bounds, (ms) => metrics.redisCall(ms))
  const { key } = model.checkins
  metrics.watchConnection(millrace)
  metrics.watch(key, pressure, () => lengthOf(calls, millrace, key))
  const { groups } = options
  if (groups !== undefined) metrics.watchGroups(key, () => calls.run(groups))
  return {
    ...{ millrace, model, group, calls, pressure, metrics, life },
    refusals: new RefusalLog(log),
    security: new SecurityLog(log, metrics),
    idempotency: { rememberMs: 24 * 3_600_000, keysMax: 5_000_000, ...options.idempotency },
    replicas: options.replicas ?? 0,
    keysInFlight: new KeysInFlight(),
    publicFields: options.access?.publicFields ?? [],
    streams: {
      slots: new StreamSlots(options.streams),
      idleMs: options.timeouts?.streamIdleMs ?? 15_000,
      wholeMs: options.timeouts?.requestMs ?? 10_000,
    },
    buckets: bucketsOf(options),
  }
}

function bucketsOf({ access, millrace, model, log }: ReceiverOptions): SharedBuckets | undefined {
  const perSecond = access?.rateLimit
  if (perSecond === undefined) return undefined
  const onTrouble = (error: unknown): void => {
    log.warn(`The rate limit counts in this process alone: ${escaped(String(error))}.`)
  }
  return new SharedBuckets({ perSecond, millrace, prefix: model.rateKeys, onTrouble })
}

async function lengthOf(
  calls: BoundedCalls,
  millrace: Pick<Millrace, 'send'>,
  key: string,
): Promise<number | undefined> {
  try {
    return Number(await calls.run(() => millrace.send('XLEN', key)))
  } catch {
    // Metrics are asked for most while Redis is away: this one is missing then.
    return undefined
  }
}

function guardOptions(
  { calls, millrace, model, security, buckets }: ReceiverParts,
  { access = {}, log }: ReceiverOptions,
): GuardOptions {
  const bounded: Pick<Millrace, 'send'> = {
    send: (...args) => calls.run(() => millrace.send(...args)),
  }
  const { apiKeys = false, tokens } = access
  const onTrouble = (error: unknown): void => {
    log.warn(`Cannot note that API keys are used: ${escaped(String(error))}.`)
  }
  return {
    keys: apiKeys
      ? new KeyRing({ stored: new ApiKeys(bounded, model.apiKeysKey), onTrouble })
      : undefined,
    tokens,
    security,
    buckets,
  }
}

/** Every address of the service. */
function addRoutes(app: FastifyInstance, parts: ReceiverParts): void {
  tagReads(app)
  checkinRoute(app, parts)
  batchRoutes(app, parts)
  latestCheckinsRoute(app, parts)
  statusRoute(app, parts)
  profileRoutes(app, parts)
  nearbyRoute(app, parts)
  leaderboardRoutes(app, parts)
  healthRoutes(app, parts)
}

const noPressure: PressureReading = { state: { kind: 'free' } }
