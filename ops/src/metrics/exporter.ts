/**
 * Tells Prometheus of all streams and groups of a server, whoever works on them. Promise: it runs on while Redis is away, says so, and
 * tells nothing old as if it were new; it changes nothing.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError, type Millrace } from 'millrace'
import { Lasting } from '../command/lasting.ts'
import type { Log } from '../command/log.ts'
import { Snapshots, type Known, type Snapshot } from '../snapshot/index.ts'
import type { Bounds } from './bounds.ts'
import { redisUpHelp, writesRefusedHelp } from './consumer-metrics.ts'
import { groupMetrics } from './group-metrics.ts'
import { Metrics } from './metrics.ts'
import { RecentLook } from './recent-look.ts'
import type { Readiness } from './serve.ts'

export interface ExporterOptions {
  /** Connects; asked again while it rejects with UNREACHABLE. */
  readonly connect: () => Promise<Millrace>
  readonly log: Log
  /** Keys of the streams; default: all that have groups. */
  readonly streams?: readonly string[] | undefined
  readonly bounds: Bounds
}

const againAfterMs = 2000
const refusals = ['READ_ONLY', 'SERVER_BUSY', 'SERVER_FULL']

export class Exporter {
  readonly #options: ExporterOptions
  readonly #metrics = new Metrics()
  readonly #recent: RecentLook
  readonly #stopping = new AbortController()
  readonly #noConnection: Lasting
  readonly #noLook: Lasting
  #millrace: Millrace | undefined
  #snapshots: Snapshots | undefined
  #areWritesRefused = false
  readonly #firstTry: Promise<void>
  #tried: () => void = () => undefined

  constructor(options: ExporterOptions) {
    this.#options = options
    this.#noConnection = new Lasting(options.log)
    this.#noLook = new Lasting(options.log)
    this.#firstTry = new Promise((resolve) => (this.#tried = resolve))
    const nothing: Known = { snapshot: null, ageMs: null, failure: null }
    const known = (): Known => this.#snapshots?.known ?? nothing
    this.#recent = new RecentLook({
      take: () => this.#look(),
      get known() {
        return known()
      },
    })
    this.#addOwn()
    for (const metric of groupMetrics(this.#recent, options.bounds)) this.#metrics.register(metric)
  }

  /** Connects, and runs until it is stopped. @throws {MillraceError} AUTHENTICATION, SERVER_TOO_OLD; what `connect` throws for its URL. */
  async run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted && this.#millrace === undefined) {
      await this.#connect().finally(this.#tried)
    }
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }
    this.#noConnection.cease()
    this.#noLook.cease()
    await this.#millrace?.close()
  }

  stop(): Promise<void> {
    this.#stopping.abort()
    return Promise.resolve()
  }

  text(): Promise<string> {
    return this.#metrics.text()
  }

  async readiness(): Promise<Readiness> {
    const isReady = (await this.#recent.get()).snapshot !== null
    return isReady
      ? { isReady, status: 'ready' }
      : { isReady, status: 'unavailable', reason: 'redis' }
  }

  async #connect(): Promise<void> {
    const { connect, streams } = this.#options
    try {
      const millrace = await connect()
      this.#millrace = millrace
      this.#snapshots = new Snapshots(millrace, { streams })
      this.#noConnection.end('Connected to Redis')
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'UNREACHABLE') throw error
      this.#noConnection.begin(`${error.message}. Trying again.`, `Still: ${error.message}.`)
      const { signal } = this.#stopping
      await delay(againAfterMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #look(): Promise<Snapshot> {
    // Who asks at once is not told that there is no Redis.
    await this.#firstTry
    const [millrace, snapshots] = [this.#millrace, this.#snapshots]
    if (millrace === undefined || snapshots === undefined) {
      throw new MillraceError('UNREACHABLE', 'There is no connection to Redis yet')
    }
    try {
      const snapshot = await snapshots.take()
      this.#areWritesRefused = await areWritesRefused(millrace, snapshot)
      this.#noLook.end('Streams and groups can be looked at again')
      return snapshot
    } catch (error) {
      // Of a lost connection its own log tells.
      if (millrace.isConnected) {
        const why = error instanceof Error ? error.message : String(error)
        this.#noLook.begin(`Cannot look at streams and groups: ${why}`, `Still cannot: ${why}`)
      }
      throw error
    }
  }

  #addOwn(): void {
    const up = redisUpHelp
    this.#metrics.add({ name: 'millrace_redis_up', type: 'gauge', help: up }, async () => [
      { labels: {}, value: Number((await this.#recent.get()).snapshot !== null) },
    ])
    const refused = writesRefusedHelp
    this.#metrics.add(
      { name: 'millrace_writes_refused', type: 'gauge', help: refused },
      async () => {
        const { snapshot } = await this.#recent.get()
        return snapshot === null ? [] : [{ labels: {}, value: Number(this.#areWritesRefused) }]
      },
    )
  }
}

/** Of a replica nobody asks: whoever looks at one means it. */
async function areWritesRefused(millrace: Millrace, { server }: Snapshot): Promise<boolean> {
  if (server?.role !== 'master') return false
  try {
    await millrace.checkWritable({ fills: true })
    return false
  } catch (error) {
    return error instanceof MillraceError && refusals.includes(error.code)
  }
}
