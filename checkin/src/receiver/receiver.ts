/** The HTTP receiver. Promise: a 202 goes out only for a check-in that Redis has confirmed, and every request is answered in time. */
import type { FastifyInstance } from 'fastify'
import type { Group, Millrace } from 'millrace'
import type { Readiness } from 'millrace-ops/metrics'
import type { Snapshots } from 'millrace-ops/snapshot'
import type { CheckinModel } from '../domain/checkins.ts'
import type { Log } from '../log.ts'
import { bucketsOf, isOpen, keyRingOf, type AccessOptions } from './access/access-options.ts'
import { guardRoutes } from './access/guard.ts'
import { watchKeys } from './access/remote-keys-log.ts'
import { SecurityLog } from './access/security-log.ts'
import { serveInOrder } from './http/answer-order.ts'
import { allowedHosts, allowOrigins, HostCheck } from './http/origins.ts'
import { checkHeads } from './http/request-head.ts'
import { tellRoutes, type RequestSpans } from './traces/request-spans.ts'
import { listenAtOne, newServer, type Timeouts } from './http/server.ts'
import { ingestSchemas } from './ingest/batch-documentation.ts'
import { KeysInFlight, type IdempotencyLimits } from './ingest/idempotency-key.ts'
import { takePlainCheckins } from './ingest/plain-checkins.ts'
import { Recorder } from './ingest/recorder.ts'
import { BoundedCalls, type Bounds } from './limits/bounded-calls.ts'
import { StreamSlots, type StreamLimits } from './limits/stream-slots.ts'
import { ReceiverMetrics, type PressureReading } from './metrics/metrics.ts'
import { answerErrors, Failures } from './operation/failures.ts'
import { readiness } from './operation/health.ts'
import { logIngest } from './operation/ingest-log.ts'
import { collectDocumentation } from './operation/openapi.ts'
import { RefusalLog } from './operation/refusal-log.ts'
import { isRefused, storeState } from './operation/store-state.ts'
import { requestLog } from './operation/request-log.ts'
import { Shutdown } from './operation/shutdown.ts'
import { addRoutes, type RouteParts } from './routes.ts'

export interface ReceiverOptions {
  readonly millrace: RouteParts['millrace'] &
    Pick<Millrace, 'append' | 'appendBatch' | 'isConnected' | 'refusal' | 'reconnects'>
  readonly model: CheckinModel
  /** The group that processes the check-ins: it knows what became of each. */
  readonly group: Pick<Group, 'entryState'>
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
  readonly groups?: Pick<Snapshots, 'take' | 'known'>
  /** Told of requests, whose check-ins then carry its trace; default: they carry that of their request. */
  readonly requests?: RequestSpans | undefined
  /** What `GET /metrics` answers; default: what this receiver has counted. */
  readonly metricsText?: () => Promise<string>
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
  /** Whether check-ins should be sent to it, as `/readyz` says. */
  readiness(): Promise<Readiness>
}

/** Builds a receiver; it does nothing until it listens. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { log, access = {}, graceMs = 0 } = options
  const onRequest = requestLog(log, options.accessLog ?? false)
  const { timeouts, connectionsMax } = options
  const app = newServer({ ...timeouts, connectionsMax, trustProxy: access.trustProxy, onRequest })
  const shutdown = new Shutdown()
  const parts = partsOf(options, shutdown)
  const { security, metrics } = parts
  const failures = new Failures(log, parts.refusals)
  let hosts = new HostCheck(undefined)
  const { requests } = options
  if (requests !== undefined) tellRoutes(app, requests)
  collectDocumentation(app, ingestSchemas)
  metrics.observe(app)
  checkHeads(
    app,
    () => hosts,
    (request) => security.refused(request, { status: 421, reason: 'wrong-host' }),
  )
  if (access.origins !== undefined && access.origins.length > 0) allowOrigins(app, access.origins)
  guard(app, parts, options)
  answerErrors(app, failures)
  void app.register((routes, _options, done) => {
    addRoutes(routes, parts)
    done()
  })
  if (isOpen(access) && onRequest === undefined) {
    takePlainCheckins(app, { ...parts, hosts: () => hosts, failures, requests })
  } else {
    serveInOrder(
      app,
      shutdown,
      requests?.around((...call) => app.routing(...call)),
    )
  }
  const quiet = logIngest(log, () => metrics.ingestCounts)
  const closed = whenClosed(app, () => {
    quiet()
    security.flush()
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
    await shutdown.close(app, within)
  }
  return { listen, close, closed, readiness: () => readiness(parts) }
}

/** What the routes take. */
function partsOf(options: ReceiverOptions, shutdown: Shutdown) {
  const { millrace, model, group, log, access = {}, pressure = noPressure, replicas = 0 } = options
  const { metrics = new ReceiverMetrics(), requests } = options
  const bounds = { inFlightMax: 10_000, withinMs: 2000, ...options.bounds }
  const calls = new BoundedCalls(bounds, (ms) => metrics.redisCall(ms))
  const refusals = new RefusalLog(log)
  const idempotency = { rememberMs: 24 * 3_600_000, keysMax: 5_000_000, ...options.idempotency }
  const isRefusing = async (): Promise<boolean> =>
    isRefused(await storeState({ millrace, calls, pressure, refusals }))
  observe(metrics, calls, { ...options, pressure, isRefusing })
  return {
    ...{ millrace, model, group, calls, pressure, metrics, shutdown, replicas, refusals },
    recorder: new Recorder({
      ...{ millrace, calls, model, refusals, metrics, replicas, idempotency },
      isTraced: requests !== undefined,
    }),
    keysInFlight: new KeysInFlight(),
    security: new SecurityLog(log, metrics),
    buckets: bucketsOf(access, { millrace, model, log }),
    streams: {
      slots: new StreamSlots(options.streams),
      idleMs: options.timeouts?.streamIdleMs ?? 15_000,
      wholeMs: options.timeouts?.requestMs ?? 10_000,
    },
    publicFields: access.publicFields ?? [],
    metricsText: options.metricsText,
    hasDocs: access.docs !== false,
  } satisfies RouteParts
}

interface Observed extends ReceiverOptions {
  readonly pressure: PressureReading
  readonly isRefusing: () => Promise<boolean>
}

/** Lets the metrics tell what is known of Redis and the stream. */
function observe(
  metrics: ReceiverMetrics,
  calls: BoundedCalls,
  { millrace, model, groups, pressure, isRefusing }: Observed,
): void {
  const { key } = model.checkins
  metrics.watchConnection(millrace, isRefusing)
  metrics.watch(key, pressure, async () =>
    Number(await calls.run(() => millrace.send('XLEN', key))),
  )
  if (groups !== undefined) metrics.watchGroups(groups)
}

/** Asks who sends each request, as far as somebody must show it. */
function guard(
  app: FastifyInstance,
  { calls, metrics, security, buckets }: ReturnType<typeof partsOf>,
  { millrace, model, log, access = {} }: ReceiverOptions,
): void {
  const { tokens } = access
  const bounded: Pick<Millrace, 'send'> = {
    send: (...args) => calls.run(() => millrace.send(...args)),
  }
  watchKeys(tokens?.remoteKeys, log, metrics)
  guardRoutes(app, { keys: keyRingOf(access, { bounded, model, log }), tokens, security, buckets })
}

function whenClosed(app: FastifyInstance, then: () => void): Promise<void> {
  return new Promise((resolve) => {
    app.addHook('onClose', (_app, done) => {
      then()
      resolve()
      done()
    })
  })
}

const noPressure: PressureReading = { state: { kind: 'free' } }
