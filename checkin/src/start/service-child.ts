import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from 'millrace-ops/command'
import { childVariable, type ChildMessage } from './parent.ts'

/** A command that runs in a process of its own for `npm start`. */
export interface ChildOptions {
  /** How the service calls it: `receiver`, `consumer1`. */
  readonly name: string
  /** The command and its arguments. */
  readonly args: readonly string[]
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>
  /** Called with the warnings and errors that it logs. */
  readonly onTrouble: (text: string) => void
  /** Called with the text of every line that it logs. */
  readonly onLine?: (text: string) => void
  /** Called with what it tells. */
  readonly onMessage?: (message: ChildMessage) => void
}

const linesKept = 8
const patienceMs = 6000

/** A child that logs JSON lines. It ends with this process, whatever ends this process. */
export class ServiceChild {
  readonly name: string
  /** Settles when it is gone and all it printed is read. Never rejects. */
  readonly ended: Promise<void>
  readonly #options: ChildOptions
  readonly #process: ChildProcess
  readonly #lastLines: string[] = []
  #isStopping = false

  constructor(options: ChildOptions) {
    this.name = options.name
    this.#options = options
    const main = process.argv[1] ?? ''
    this.#process = spawn(process.execPath, [...process.execArgv, main, ...options.args], {
      // In a process group of its own: the terminal's Ctrl-C comes to us alone, and we end the children in order.
      detached: true,
      env: { ...process.env, ...options.env, LOG_FORMAT: 'json', [childVariable]: '1' },
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    })
    this.#process.on('error', (error) => this.#keep(error.message))
    this.#process.on('message', (message) => options.onMessage?.(message as ChildMessage))
    // Nothing is written to its input: the pipe only tells it that we live.
    this.#process.stdin?.on('error', () => undefined)
    this.#readLines(this.#process.stdout, (line) => this.#takeLog(line))
    this.#readLines(this.#process.stderr, (line) => this.#keep(line))
    this.ended = once(this.#process, 'close').then(
      () => undefined,
      // It could not be started, which is its end, too.
      () => undefined,
    )
  }

  /** True when it ended by itself with exit code 0. */
  get isDone(): boolean {
    return this.#process.exitCode === 0
  }

  /** How it ended, with the last lines that it printed. */
  get ending(): string {
    const { exitCode, signalCode } = this.#process
    const how = signalCode === null ? `exit code ${exitCode ?? 'none'}` : `signal ${signalCode}`
    const lines = this.#lastLines.map((line) => `\n  ${line}`).join('')
    return `${how}${lines === '' ? '' : `; its last lines:${lines}`}`
  }

  /** Settles with an error when it ends without being asked to. */
  async unexpectedEnd(): Promise<never> {
    await this.ended
    // An end that was asked for is no failure, so this promise has nothing more to say.
    if (this.#isStopping) return await new Promise<never>(() => undefined)
    throw new CommandError(`Cannot go on: the ${this.name} ended with ${this.ending}`)
  }

  /** Asks it to end, waits, and kills it when it takes longer than six seconds. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#process.kill('SIGTERM')
    const stopped = new AbortController()
    const tooLate = delay(patienceMs, undefined, { signal: stopped.signal }).then(
      () => {
        this.#options.onTrouble(`${this.name} does not end by itself and is killed`)
        this.#process.kill('SIGKILL')
      },
      // Aborted, as it ended in time.
      () => undefined,
    )
    await this.ended
    stopped.abort()
    await tooLate
    this.#process.stdin?.destroy()
  }

  #readLines(stream: Readable | null, take: (line: string) => void): void {
    if (stream !== null) createInterface({ input: stream }).on('line', take)
  }

  #takeLog(line: string): void {
    const { level, msg } = parseLog(line)
    this.#options.onLine?.(msg)
    if (level === 'info' || level === 'debug') return
    this.#keep(msg)
    if (level === 'none') return
    const from = msg.startsWith(`${this.name}:`) ? '' : `${this.name}: `
    this.#options.onTrouble(`${from}${msg}`)
  }

  #keep(line: string): void {
    this.#lastLines.push(line)
    if (this.#lastLines.length > linesKept) this.#lastLines.shift()
  }
}

/** A line of the log; anything else counts as a message without a level. */
function parseLog(line: string): { level: string; msg: string } {
  try {
    const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown }
    return { level: String(level), msg: String(msg) }
  } catch {
    return { level: 'none', msg: line }
  }
}
