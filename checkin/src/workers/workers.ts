/**
 * Several processes that share a port, by node:cluster. Promise: a worker that dies is replaced, the others go on; when the first
 * start fails, all end with its error.
 */
import cluster, { type Address, type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from 'millrace-ops/command'
import type { Readiness } from 'millrace-ops/metrics'
import type { Log } from '../log.ts'
import { answerMetricsQuestions } from './metrics-of-all.ts'

export interface WorkersOptions {
  readonly count: number
  readonly log: Log
  /** How long (ms) each serves on once it is asked to end. */
  readonly graceMs: number
}

const firstPauseMs = 100
const longestPauseMs = 10_000
const healthyMs = 10_000
const patienceMs = 10_000
const readyWithinMs = 5000
/** Who listens on all addresses is reached on the loopback. */
const anyAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
// Node tells null for all addresses, which its types do not know.
const addressOf = (told: string | null): string => anyAddress[told ?? '0.0.0.0'] ?? told ?? ''

export class Workers {
  readonly #options: WorkersOptions
  readonly #stopping = new AbortController()
  readonly #living = new Set<Worker>()
  readonly #listened = new Set<number>()
  /** Where they are reached from here; undefined until one has listened. */
  #address: { readonly host: string; readonly port: number } | undefined

  constructor(options: WorkersOptions) {
    this.#options = options
    this.text = answerMetricsQuestions(this.#living)
  }

  /** The metrics of all, in the text format of Prometheus. */
  readonly text: () => Promise<string>

  /** As one of them says at `/readyz`: the port that they share leads to any. */
  readonly readiness = async (): Promise<Readiness> => {
    if (this.#isStopping) return { isReady: false, status: 'closing' }
    if (this.#address === undefined) return { isReady: false, status: 'starting' }
    const { host, port } = this.#address
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/readyz`
    const answer = await fetch(url, { signal: AbortSignal.timeout(readyWithinMs) })
    const { status, reason } = (await answer.json()) as Omit<Readiness, 'isReady'>
    return { isReady: answer.ok, status, ...(reason !== undefined && { reason }) }
  }

  /**
   * Runs until it is stopped.
   * @throws {CommandError} when a worker ends before it has listened once.
   */
  async run(): Promise<void> {
    // They run the same command with the same arguments, and find out that they are workers.
    cluster.setupPrimary({ args: process.argv.slice(2) })
    const { count } = this.#options
    const seats = Array.from({ length: count }, (_, at) => this.#keepSeat(at + 1))
    try {
      await Promise.all(seats)
    } catch (error) {
      await this.stop()
      await Promise.allSettled(seats)
      throw error
    }
  }

  /** Asks all to end in order, and kills whoever takes 10 s longer than `graceMs`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    const lastMs = this.#options.graceMs + patienceMs
    const ends = [...this.#living].map(async (worker) => {
      const ended = once(worker, 'exit')
      worker.process.kill(signal)
      const tooLate = setTimeout(() => worker.process.kill('SIGKILL'), lastMs)
      await ended
      clearTimeout(tooLate)
    })
    await Promise.all(ends)
  }

  /** Always one worker, until the end. */
  async #keepSeat(seat: number): Promise<void> {
    const { log } = this.#options
    let pauseMs = firstPauseMs
    while (!this.#isStopping) {
      const startedAt = performance.now()
      const worker = cluster.fork()
      this.#living.add(worker)
      worker.once('listening', ({ address, port }: Address) => {
        this.#listened.add(seat)
        this.#address = { host: addressOf(address), port }
      })
      const [code, signal] = (await once(worker, 'exit')) as [number | null, string | null]
      this.#living.delete(worker)
      // It may have been asked to end meanwhile, which the compiler does not see.
      if (this.#stopping.signal.aborted) return
      const how = signal ?? `exit code ${code ?? 'unknown'}`
      if (!this.#listened.has(seat))
        throw new CommandError(`Cannot start worker ${seat}: it ended with ${how}`)
      if (performance.now() - startedAt > healthyMs) pauseMs = firstPauseMs
      log.warn(
        `Worker ${seat} (process ${worker.process.pid ?? 0}) ended with ${how}. Starting another one.`,
      )
      await delay(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }
}
