import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { killAtExit } from './clean-up-at-exit.ts'
import { waitFor } from './wait-for.ts'

/** How a command of the service is run. */
export interface RunOptions {
  /** Added to the environment; the service's own variables are not taken over from the test's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Written to standard input, which is then closed. Default: no input. */
  readonly input?: string
  /** The checkout whose sources are run; default: this one, its commands as they were built. */
  readonly root?: string | undefined
}

/** How it ended: a code, or the signal that killed it. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A command of the service in a process of its own. */
export interface MainProcess {
  readonly pid: number
  /** What it has printed up to now. */
  readonly stdout: string
  readonly stderr: string
  /** Settles when the process is gone and everything it printed is here; never rejects. */
  readonly exited: Promise<Ended>
  /**
   * Waits for a line on either output that matches, from the beginning on.
   * @throws {Error} with all output, when the process ends or the time runs out before.
   */
  waitForLine(pattern: RegExp, options?: { readonly timeoutMs?: number }): Promise<string>
  /** Default SIGTERM. */
  kill(signal?: NodeJS.Signals): void
}

/** The root of this checkout. */
export const thisCheckout: string = fileURLToPath(new URL('..', import.meta.url))
const own = /^(?:REDIS_.*|KEY_PREFIX|CHECKIN_.*|LOG_.*|MILLRACE_.*|NODE_TEST_CONTEXT|NO_COLOR)$/

/**
 * Starts the service's command as it was built, in its own process; it is killed with the test process. `npm test` builds
 * before the tests: that starts in half the time that the sources take. Of another checkout the sources are run.
 */
export function runMain(args: readonly string[], options: RunOptions = {}): MainProcess {
  if (options.root !== undefined) return runScript('checkin/src/main.ts', args, options)
  return start(['checkin/dist/main.js', ...args], options)
}

/** Starts the operator's command as it was built, likewise. */
export function runOps(
  args: readonly string[],
  options: Omit<RunOptions, 'root'> = {},
): MainProcess {
  return start(['ops/dist/main.js', ...args], options)
}

/** Starts a TypeScript file of the checkout in its own process; it is killed with the test process. */
export function runScript(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): MainProcess {
  return start(['--conditions=millrace-source', '--import', 'tsx', file, ...args], options)
}

function start(args: readonly string[], options: RunOptions): MainProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !own.test(name))
  const child = spawn(process.execPath, args, {
    cwd: options.root ?? thisCheckout,
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  killAtExit(child)
  child.stdin?.end(options.input)
  return new SpawnedMain(child)
}

class SpawnedMain implements MainProcess {
  stdout = ''
  stderr = ''
  readonly exited: Promise<Ended>
  readonly #child: ChildProcess
  #isOver = false

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => void (this.stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => void (this.stderr += text))
    this.exited = new Promise((resolve) => {
      child.on('error', (error) => void (this.stderr += error.message))
      child.on('close', (code, signal) => {
        this.#isOver = true
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async waitForLine(pattern: RegExp, { timeoutMs = 60_000 } = {}): Promise<string> {
    const what = `a line that matches ${String(pattern)}`
    const find = (): string | undefined =>
      `${this.stdout}\n${this.stderr}`.split('\n').find((line) => line.search(pattern) >= 0)
    const output = (): string => `\nstdout:\n${this.stdout}\nstderr:\n${this.stderr}`
    const seen = await waitFor(() => find() ?? this.#isOver, { what, timeoutMs }).catch(
      (error: unknown) => {
        // Left running, it would keep the test process alive for ever.
        this.#child.kill('SIGKILL')
        throw new Error(`Process ${this.pid} did not print ${what} in time${output()}`, {
          cause: error,
        })
      },
    )
    const line = seen === true ? find() : seen
    if (line === undefined) throw new Error(`Process ended without ${what}${output()}`)
    return line
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal)
  }
}
