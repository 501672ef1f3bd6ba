/**
 * The whole service in one terminal. Promise: whatever ends it, its processes end in an order that loses nothing:
 * generator, receiver, processors, and the embedded server last.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isPassing, type Group, type Millrace } from 'millrace'
import { startEmbedded } from '../embedded/embedded-server.ts'
import { CommandError, type MetricsFlags } from 'millrace-ops/command'
import type { Wiring } from '../wiring.ts'
import { operated } from '../operated/service.ts'
import { openConsole } from './console-page.ts'
import { checkMetricsPorts, checkReceiverPort, consumers, measured, metricsPort } from './ports.ts'
import { Processor } from './processor.ts'
import { resultLines } from './results.ts'
import { areIndexesMissing, isDataMissing, untilDone } from './sample-data.ts'
import { ServiceChild, type ChildOptions } from './service-child.ts'
import { statusLine, takeSample, type Sample } from './status.ts'
import { unless, Unwind } from './unwind.ts'

export interface ServiceOptions extends MetricsFlags {
  readonly wiring: Wiring
  /** Check-ins a second of the generator. */
  readonly rate: number
  /** Aborted when the user wants the end. */
  readonly stop: AbortSignal
  /** Prints a line of what there is to see. */
  readonly show: (line: string) => void
  /** Prints a line of what is done or went wrong. */
  readonly say: (line: string) => void
}

/** What there is to look at. */
interface Addresses {
  readonly receiver: string
  readonly console: string | undefined
  readonly redis: string
  readonly cli: string
}

const firstResultsAfterMs = 5000
const statusEveryMs = 1000

export class Service {
  readonly #options: ServiceOptions
  readonly #unwind = new Unwind()
  /** Reject when a part ends that the service cannot do without. */
  readonly #losses: Promise<never>[] = []
  readonly #processors: Processor[] = []
  readonly #over = new AbortController()
  #isUnderWay = false

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  /**
   * Runs until the stop signal.
   * @throws {StopRequested} then; {CommandError} when it cannot start, or a part of it has died.
   */
  async run(): Promise<void> {
    const { stop } = this.#options
    try {
      await checkReceiverPort(this.#config)
      await checkMetricsPorts(this.#options)
      // Not interrupted: a server that is half started could not be ended.
      const { url, cli } = await this.#startRedis()
      stop.throwIfAborted()
      const millrace = await this.#connect(url)
      const group = millrace.group(this.#options.wiring.model.checkins, this.#config.group)
      if (await isDataMissing(group)) await this.#loadSampleData(url)
      else if (await areIndexesMissing(millrace, this.#options.wiring.model)) {
        await this.#buildIndexes(url)
      }
      this.#startProcessors(url)
      const receiver = await this.#startReceiver(url)
      this.#startGenerator(`${receiver}/api/checkin`)
      const console = await this.#openConsole(millrace)
      this.#introduce({ receiver, console, redis: millrace.url, cli })
      const watching = this.#watch(millrace, group)
      await unless(stop, Promise.race([watching, ...this.#losses]))
    } finally {
      this.#over.abort()
      await this.#unwind.run()
    }
  }

  get #config(): Wiring['config'] {
    return this.#options.wiring.config
  }

  async #startRedis(): Promise<{ url: string; cli: string }> {
    const { redisUrl } = this.#config
    if (redisUrl !== undefined) return { url: redisUrl, cli: 'redis-cli -u "$REDIS_URL"' }
    const { say } = this.#options
    const server = await startEmbedded({ info: say, warn: (text) => say(`warn: ${text}`) })
    this.#unwind.add(() => server.stop())
    this.#lose(
      server.ended.then((words) => {
        throw new CommandError(`Cannot go on: the redis-server has ended. ${words}`)
      }),
    )
    return { url: server.url, cli: `redis-cli -p ${server.port}` }
  }

  async #connect(url: string): Promise<Millrace> {
    const millrace = await this.#options.wiring.connect()
    if (url === this.#config.redisUrl) this.#options.say(`Using Redis at ${millrace.url}.`)
    this.#unwind.add(() => millrace.close())
    this.#unwind.add(async () => {
      if (this.#isUnderWay) await this.#showResults(millrace)
    })
    return millrace
  }

  async #loadSampleData(url: string): Promise<void> {
    const { say, stop } = this.#options
    say('No check-ins are there yet: loading sample data ...')
    const loader = new ServiceChild({ ...this.#childOptions('loader', ['load'], url), onLine: say })
    await untilDone(loader, stop)
  }

  async #buildIndexes(url: string): Promise<void> {
    const { say, stop } = this.#options
    say('Leaderboards are missing: building them from the hashes ...')
    await untilDone(this.#child('reindex', ['reindex'], url), stop)
  }

  /** @returns the receiver's address once it listens. */
  async #startReceiver(url: string): Promise<string> {
    let listening: (address: string) => void
    const address = new Promise<string>((resolve) => (listening = resolve))
    const child = new ServiceChild({
      ...this.#childOptions('receiver', ['checkinreceiver', '--grace', '250ms'], url),
      onMessage: (message) => {
        if (message.kind === 'listening') listening(message.url)
      },
    })
    this.#unwind.add(() => child.stop())
    const loss = child.unexpectedEnd()
    this.#lose(loss)
    return await unless(this.#options.stop, Promise.race([address, loss]))
  }

  #startProcessors(url: string): void {
    const { say } = this.#options
    for (const name of consumers) {
      const env = { REDIS_URL: url, ...metricsPort(name, this.#options) }
      this.#processors.push(new Processor({ name, env, onTrouble: say }))
    }
    this.#unwind.add(async () => {
      await Promise.all(this.#processors.map((processor) => processor.stop()))
    })
  }

  #startGenerator(target: string): void {
    const rate = String(this.#options.rate)
    const args = ['checkingenerator', '--rate', rate, '--url', target]
    const child = this.#child('generator', args)
    this.#unwind.add(() => child.stop())
    this.#lose(child.unexpectedEnd())
  }

  /** @returns where it is; undefined where it cannot be had. */
  async #openConsole(millrace: Millrace): Promise<string | undefined> {
    const { wiring, say } = this.#options
    const opened = await openConsole({ millrace, service: operated(wiring), say })
    if (opened !== undefined) this.#unwind.add(() => opened.close())
    return opened?.url
  }

  #child(name: string, args: readonly string[], url?: string): ServiceChild {
    return new ServiceChild(this.#childOptions(name, args, url))
  }

  /** @param url of the server that it works on */
  #childOptions(name: string, args: readonly string[], url?: string): ChildOptions {
    const env = {
      ...(url !== undefined && { REDIS_URL: url }),
      ...metricsPort(name, this.#options),
    }
    return { name, args, env, onTrouble: this.#options.say }
  }

  #lose(loss: Promise<never>): void {
    // It may come before anybody waits for it, or after.
    loss.catch(() => undefined)
    this.#losses.push(loss)
  }

  #introduce({ receiver, console, redis, cli }: Addresses): void {
    const { show, say, metricsPort: first = 0 } = this.#options
    this.#isUnderWay = true
    if (console !== undefined) show(`Console:   ${console}`)
    show(`Receiver:  ${receiver}/api/checkin`)
    show(`Redis:     ${redis}`)
    show(`redis-cli: ${cli}`)
    if (first > 0) {
      const ports = measured.map((name, at) => `${name} ${first + at}`)
      show(`Metrics:   http://${this.#options.metricsHost}, ports ${ports.join(', ')}`)
    }
    say('Ctrl-C stops everything; the data is there at the next start.')
  }

  /** Prints a status line a second, and the results once after some seconds and once at the end. */
  async #watch(millrace: Millrace, group: Group): Promise<never> {
    const { show } = this.#options
    const resultsAt = performance.now() + firstResultsAfterMs
    let areResultsShown = false
    let before: Sample | undefined
    for (;;) {
      const now = await this.#sample(millrace, group)
      if (before !== undefined && now !== undefined) show(statusLine(before, now))
      before = now
      if (!areResultsShown && performance.now() > resultsAt) {
        areResultsShown = true
        await this.#showResults(millrace)
      }
      await delay(statusEveryMs, undefined, { signal: this.#over.signal })
    }
  }

  /** A sample, or undefined while Redis is away for a moment, as may be with a server that is not ours. */
  async #sample(millrace: Millrace, group: Group): Promise<Sample | undefined> {
    try {
      return await takeSample(millrace, group)
    } catch (error) {
      if (!isPassing(error)) throw error
      this.#options.show(`status unknown: ${(error as Error).message}`)
      return undefined
    }
  }

  async #showResults(millrace: Millrace): Promise<void> {
    const { show, wiring } = this.#options
    try {
      for (const line of await resultLines(millrace, wiring.model, this.#processors)) show(line)
    } catch (error) {
      show(`results unknown: ${(error as Error).message}`)
    }
  }
}
