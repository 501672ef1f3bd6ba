/**
 * A run's scene: a server with its append-only file, a proxy, consumers as real processes, an appender, a recorder of
 * what the stream holds, a watch, and at the end the verdict.
 */
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, isPassing, type Group, type Millrace } from 'millrace'
import { groupKeys, type GroupKeys, type Reply } from 'millrace/operate'
import { runMain, type Ended } from '../testing/processes.ts'
import { startRedis, type ServerKind, type TestServer } from '../testing/redis-servers.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { shiftedClock, type ShiftedClock } from '../testing/shifted-clock.ts'
import { startProxy, type Proxy } from '../testing/tcp-proxy.ts'
import { waitFor, within } from '../testing/wait-for.ts'
import { checkinModel, type CheckinModel } from '../checkin/src/domain/checkins.ts'
import { Appender } from './appender.ts'
import { Crew } from './crew.ts'
import { endingOf } from './ending.ts'
import { History } from './history.ts'
import { judge, type Classes } from './judge.ts'
import { Recorder } from './recorder.ts'
import { Watch } from './watch.ts'

export interface SceneOptions {
  readonly kind: ServerKind
  readonly seed: number
  /** The checkout whose consumers and commands run from their sources; default: this one, as it was built. */
  readonly root?: string
  /** Entries of a dead consumer are claimed within this time, default 1,500 ms. */
  readonly claimAfterMs?: number
  /** Entries a read, default 40: small batches make many edges to fail at. */
  readonly batch?: number
  /** The server's clock can be shifted, where this machine can do that. Default false. */
  readonly hasShiftedClock?: boolean
}

type Fields = CheckinModel['checkins']['fields']

export class Scene {
  readonly seed: number
  readonly model: CheckinModel = checkinModel('ncc')
  readonly history = new History()
  readonly server: TestServer
  readonly proxy: Proxy
  /** Looks at the server past the proxy. */
  readonly millrace: Millrace
  readonly clock: ShiftedClock | undefined
  readonly claimAfterMs: number
  readonly crew: Crew
  readonly appender: Appender
  readonly recorder: Recorder
  readonly watch: Watch
  /** Milliseconds that the work took to go on after each fault of the server. */
  readonly recoveries: number[] = []
  /** Users whose key held another type for a while. */
  barredUsers = 0
  readonly #appending: Millrace
  readonly #root: string | undefined
  #clockSeconds = 0

  private constructor(options: SceneOptions, parts: Parts) {
    const { seed, root, batch = 40 } = options
    const { history, model } = this
    this.seed = seed
    this.claimAfterMs = options.claimAfterMs ?? 1500
    this.server = parts.server
    this.proxy = parts.proxy
    this.millrace = parts.millrace
    this.clock = parts.clock
    this.#appending = parts.appending
    this.#root = root
    const stream = model.checkins.key
    const { claimAfterMs } = this
    this.crew = new Crew({ url: this.proxy.url, history, root, claimAfterMs, batch })
    const random = new SeededRandom(seed)
    this.appender = new Appender({ millrace: this.#appending, stream, history, random })
    this.recorder = new Recorder(this.millrace, stream, history)
    this.watch = new Watch(this.millrace, model, history)
  }

  /** Starts the server, creates the group, begins to record and to watch. */
  static async open(options: SceneOptions): Promise<Scene> {
    const clock = options.hasShiftedClock === true ? shiftedClock() : undefined
    const server = await startRedis({
      kind: options.kind,
      appendonly: 'always',
      // Rewritten now and then, so that faults meet that, too, and a restart has little to load.
      args: [
        ...['--aof-load-truncated', 'no', '--aof-timestamp-enabled', 'yes'],
        ...['--auto-aof-rewrite-min-size', '16mb'],
      ],
      env: clock?.env ?? {},
    })
    const proxy = await startProxy(server.port)
    const [millrace, appending] = [
      await connect({ url: server.url }),
      await connect({ url: proxy.url }),
    ]
    const scene = new Scene(options, { clock, server, proxy, millrace, appending })
    await scene.group.create()
    await scene.recorder.start()
    scene.watch.start()
    return scene
  }

  get group(): Group<Fields> {
    return this.millrace.group(this.model.checkins, 'checkinConsumers')
  }

  /** The keys of the group. */
  get keys(): GroupKeys {
    return groupKeys(this.model.checkins.key, this.group.name)
  }

  /** Runs a command of an operator, of the checkout that the consumers run from. */
  async command(...args: readonly string[]): Promise<Ended> {
    const env = { REDIS_URL: this.server.url }
    return await runMain(args, { env, root: this.#root }).exited
  }

  /** Sends a command that may be sent twice, until the server answers: others may have it down at this moment. */
  async send(...args: readonly string[]): Promise<Reply> {
    return await this.untilPassed(() => this.millrace.send(...args))
  }

  /** Repeats an action that may be repeated, while the reason of its failure passes by itself. */
  async untilPassed<Result>(action: () => Promise<Result>, timeoutMs = 30_000): Promise<Result> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      try {
        return await action()
      } catch (error) {
        if (!isPassing(error) || performance.now() > deadline) throw error
        await delay(20)
      }
    }
  }

  /**
   * Sets the server's clock so many seconds ahead of the machine's, or back. Where that cannot be done, the leases are
   * moved instead, as they look to such a clock.
   */
  async shiftClock(seconds: number): Promise<void> {
    this.clock?.shift(seconds)
    if (this.clock === undefined) {
      const { leases } = this.keys
      const ms = String((this.#clockSeconds - seconds) * 1000)
      const names = (await this.send('ZRANGE', leases, '0', '-1')) as string[]
      for (const name of names) await this.send('ZINCRBY', leases, ms, name)
    }
    this.#clockSeconds = seconds
  }

  /** Entries that are pending for a consumer. */
  async pendingOf(name: string): Promise<number> {
    const { consumers } = await this.untilPassed(() => this.group.describe())
    return consumers.find((consumer) => consumer.name === name)?.pending ?? 0
  }

  /** Waits until nothing is undelivered or pending; what then still is has been forgotten by the consumers. */
  async settle(timeoutMs = 60_000): Promise<void> {
    await this.appender.stop()
    await waitFor(() => this.group.isDrained().catch(() => false), {
      what: 'the group to be drained',
      timeoutMs,
      everyMs: 50,
    }).catch(async (error: unknown) => {
      const rows = await this.send(
        'XPENDING',
        this.model.checkins.key,
        this.group.name,
        '-',
        '+',
        '10',
      )
      const ids = (rows as Reply[][]).map(([id]) => String(id))
      this.history.violate('stuck', `${String(error)}: ${JSON.stringify(rows)}`, ids)
    })
    await within(Promise.all([this.recorder.stop(), this.watch.stop()]), {
      what: 'the recorder to have seen everything',
      timeoutMs,
    }).catch((error: unknown) => this.history.violate('stuck', String(error)))
  }

  /** After `settle`: compares what is there with what was sent. Violations go to the history. */
  async verdict(): Promise<Classes> {
    const ending = await endingOf(this)
    return judge(this.history, ending, this.model)
  }

  /** Like "redis 7.0.15". */
  async describeServer(): Promise<string> {
    const info = String(await this.send('INFO', 'server'))
    const version = /(?:valkey|redis)_version:(\S+)/g
    return `${this.server.kind} ${[...info.matchAll(version)].at(-1)?.[1] ?? ''}`
  }

  /** Keeps timeline, output of the consumers and data of the server. Returns the folder. */
  keepEvidence(): string {
    const folder = mkdtempSync(join(tmpdir(), `millrace-chaos-${this.server.kind}-${this.seed}-`))
    const { timeline, violations } = this.history
    writeFileSync(join(folder, 'timeline.txt'), `${timeline.join('\n')}\n`)
    writeFileSync(join(folder, 'violations.json'), JSON.stringify(violations, null, 1))
    writeFileSync(join(folder, 'output.txt'), this.crew.output)
    cpSync(this.server.dir, join(folder, 'server'), { recursive: true })
    return folder
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.appender.stop()
    await this.crew.close()
    // Closed under them, what cannot end by itself ends.
    this.recorder.abandon()
    await Promise.all([this.recorder.stop(), this.watch.stop()])
    await Promise.all([this.millrace.close(), this.#appending.close()])
    await this.proxy.close()
    await this.server.stop()
  }
}

interface Parts {
  readonly server: TestServer
  readonly proxy: Proxy
  readonly millrace: Millrace
  readonly appending: Millrace
  readonly clock: ShiftedClock | undefined
}
