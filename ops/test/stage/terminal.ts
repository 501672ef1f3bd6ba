/** A real terminal of a size, with what is typed and what is seen: tmux, which draws what a program sends. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { removeAtExit } from '../../../testing/clean-up-at-exit.ts'
import { thisCheckout } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'

const unpacked = fileURLToPath(new URL('../../../.cache/servers/tmux/bin/tmux', import.meta.url))
const tmux = existsSync(unpacked) ? unpacked : 'tmux'

/** For the option `skip` of a test. */
export const whyNoTerminal: string | false =
  spawnSync(tmux, ['-V']).status === 0
    ? false
    : 'there is no tmux: "npm run setup -- --with-servers" fetches it on Debian'

export interface TerminalOptions {
  readonly columns: number
  readonly rows: number
  readonly env?: Readonly<Record<string, string>>
}

/** A server of tmux outlives who has started it. */
const open = new Set<Terminal>()
process.on('exit', () => open.forEach((terminal) => terminal.close()))

export class Terminal {
  readonly #socket: string

  /** Starts a shell that runs `millrace ARGS`, and then says how that ended and how the terminal is. */
  constructor(
    t: TestContext,
    args: readonly string[],
    { columns, rows, env = {} }: TerminalOptions,
  ) {
    const folder = mkdtempSync(join(tmpdir(), 'terminal-'))
    removeAtExit(folder)
    this.#socket = join(folder, 'tmux')
    open.add(this)
    t.after(() => this.close())
    const given = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const words = ['env', ...given, process.execPath, 'ops/dist/main.js', ...args].map(quoted)
    const script = `${words.join(' ')}; echo "code $?"; stty -a | tr ' ;' '\\n\\n' | grep -E '^-?(icanon|echo)$'; exec cat`
    const size = ['-x', `${columns}`, '-y', `${rows}`]
    this.#tmux(
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      ...size,
      '-c',
      thisCheckout,
      'sh',
      '-c',
      script,
    )
    // Its own line at the bottom would take one of ours.
    this.#tmux('set', '-g', 'status', 'off')
    this.#tmux('resize-window', ...size)
  }

  close(): void {
    open.delete(this)
    this.#tmux('kill-server')
  }

  /** Presses keys by their names: `Enter`, `Escape`, `C-c`, `Down`. */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys)
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', '--', text)
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`)
  }

  /** What is seen, without blanks at the ends of lines. */
  get screen(): string {
    return this.#tmux('capture-pane', '-p')
  }

  /** The same with its colours and other looks, as they were sent. */
  get looks(): string {
    return this.#tmux('capture-pane', '-p', '-e')
  }

  /** Whether it shows its other screen, as programs do that take all of it. */
  get isOther(): boolean {
    return this.#tmux('display-message', '-p', '#{alternate_on}') === '1'
  }

  get hasCursor(): boolean {
    return this.#tmux('display-message', '-p', '#{cursor_flag}') === '1'
  }

  /** The process that runs in it now. */
  async pidOf(command: string): Promise<number> {
    const shell = this.#tmux('display-message', '-p', '#{pane_pid}')
    return await waitFor(
      () => {
        const { stdout } = spawnSync('pgrep', ['-P', shell, command], { encoding: 'utf8' })
        return Number(stdout.trim())
      },
      { what: `a process ${command} in the terminal` },
    )
  }

  async sees(pattern: RegExp): Promise<string> {
    let last = ''
    const look = (): boolean => pattern.test((last = this.screen))
    await waitFor(look, { what: String(pattern), everyMs: 50 }).catch((error: unknown) => {
      throw new Error(`The terminal never showed ${String(pattern)}:\n${last}`, { cause: error })
    })
    return last
  }

  #tmux(...args: readonly string[]): string {
    const { stdout } = spawnSync(tmux, ['-S', this.#socket, ...args], { encoding: 'utf8' })
    return stdout.trimEnd()
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
