/** Real Redis and Valkey servers, old and new, for tests: on free loopback ports, in folders of their own, gone with the test process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { killAtExit, removeAtExit } from './clean-up-at-exit.ts'
import { connectClient, type TestClient } from './test-client.ts'
import { waitFor } from './wait-for.ts'

/**
 * The servers of the tests, oldest first: the system's Redis 7 or newer and Valkey 8, and Redis 8 and Valkey 9 as
 * `npm run setup -- --with-servers` fetches them.
 */
export const serverKindsWanted = ['redis', 'valkey', 'redis8', 'valkey9'] as const
export type ServerKind = (typeof serverKindsWanted)[number]

/** For tests that take long: what two versions have in common, those between have, too. */
export const oldestAndNewest = ['redis', 'valkey9'] as const

/** What a test asks of its server; every part has a default. */
export interface StartOptions {
  /** Default: the first of `serverKinds()`. */
  readonly kind?: ServerKind
  /** Default: any free port. A port that is asked for is not exchanged for another one. */
  readonly port?: number
  /** Data folder; default: a new temporary one, removed with the test process. */
  readonly dir?: string
  /** Append-only file, default `no`; otherwise the value of `appendfsync`. */
  readonly appendonly?: 'no' | 'everysec' | 'always'
  /** More arguments for the server: `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[]
  /** Added to the environment of the server: a preloaded clock. */
  readonly env?: Readonly<Record<string, string>>
}

/** A server that the test may kill, freeze and start again. */
export interface TestServer {
  readonly kind: ServerKind
  readonly url: string
  readonly port: number
  /** Of the process that runs now; another one after `restart`. */
  readonly pid: number
  readonly dir: string
  /** Connects a client of the test's own, closed by `stop`. Replies have the shapes of RESP 2. */
  client(): Promise<TestClient>
  /** Ends the process by SIGKILL and waits until it is gone. */
  kill9(): Promise<void>
  /** Starts it again on the same port and data folder, ending it first by SIGTERM if it runs. */
  restart(): Promise<void>
  /** Freezes the process: connections stay open, nothing is answered. */
  pause(): void
  resume(): void
  /** Ends it, waits until it is gone, and removes a temporary data folder. */
  stop(): Promise<void>
}

const binaries: Record<ServerKind, readonly string[]> = {
  redis: pathFolders('redis-server'),
  valkey: [...pathFolders('valkey-server'), fetched('valkey', 'valkey-server')],
  redis8: [fetched('redis8', 'redis-server')],
  valkey9: [fetched('valkey9', 'valkey-server')],
}

/**
 * The servers that this machine has, Redis first. MILLRACE_TEST_SERVER=redis,valkey9 limits them to those.
 * @throws {Error} when there is none.
 */
export function serverKinds(): ServerKind[] {
  const wanted = process.env.MILLRACE_TEST_SERVER ?? serverKindsWanted.join(',')
  const found = serverKindsWanted.filter(
    (kind) => wanted.split(',').includes(kind) && binaryOf(kind) !== undefined,
  )
  if (found.length > 0) return found
  throw new Error(
    `Cannot run tests: no server of ${wanted} found. Install one with "npm run setup"`,
  )
}

/** For the option `skip` of a test: false when this kind takes part, else why not. */
export function whyNotOn(kind: ServerKind): string | false {
  if (serverKinds().includes(kind)) return false
  return `not run: no ${kind} here (npm run setup -- --with-servers), or MILLRACE_TEST_SERVER leaves it out`
}

/**
 * Starts a server and waits until it answers.
 * @throws {Error} with the server's last lines when it ends instead.
 */
export async function startRedis(options: StartOptions = {}): Promise<TestServer> {
  const kind = options.kind ?? serverKinds()[0] ?? 'redis'
  const dir = options.dir ?? temporaryFolder()
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort())
    try {
      return new RunningServer(kind, port, dir, options, await launch(kind, port, dir, options))
    } catch (error) {
      // Another process may have taken the free port in the meantime.
      const isCollision = error instanceof Error && error.message.includes('Address already in use')
      if (!isCollision || options.port !== undefined || attempt === 5) throw error
    }
  }
}

/** A port of the loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

class RunningServer implements TestServer {
  readonly kind: ServerKind
  readonly port: number
  readonly dir: string
  readonly url: string
  readonly #options: StartOptions
  readonly #clients = new Set<TestClient>()
  #process: ChildProcess

  constructor(
    kind: ServerKind,
    port: number,
    dir: string,
    options: StartOptions,
    process: ChildProcess,
  ) {
    this.kind = kind
    this.port = port
    this.dir = dir
    this.url = `redis://127.0.0.1:${port}`
    this.#options = options
    this.#process = process
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  async client(): Promise<TestClient> {
    const client = await connectClient(this.port)
    this.#clients.add(client)
    return client
  }

  kill9(): Promise<void> {
    return end(this.#process, 'SIGKILL')
  }

  async restart(): Promise<void> {
    await end(this.#process, 'SIGTERM')
    this.#process = await launch(this.kind, this.port, this.dir, this.#options)
  }

  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  resume(): void {
    this.#process.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close()
    this.#clients.clear()
    const isTemporary = this.#options.dir === undefined
    // SIGTERM waits for the server's next 100 ms tick, which data that nobody will read is not worth.
    if (isTemporary) await end(this.#process, 'SIGKILL')
    this.resume()
    await end(this.#process, 'SIGTERM')
    if (isTemporary) rmSync(this.dir, { recursive: true, force: true })
  }
}

/** A large append-only file takes its time to load. */
const startMaxMs = 60_000

async function launch(
  kind: ServerKind,
  port: number,
  dir: string,
  { appendonly = 'no', args = [], env = {} }: StartOptions,
): Promise<ChildProcess> {
  const file = binaryOf(kind)
  if (file === undefined) throw new Error(`Cannot start ${kind}: it is not on this machine`)
  const persistence =
    appendonly === 'no'
      ? ['--appendonly', 'no']
      : ['--appendonly', 'yes', '--appendfsync', appendonly]
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir]
  // A server that is idle ends a blocked read at its next tick, of which there are ten in a second by default: a test that drains would wait
  // 100 ms for its end each time.
  const ticks = ['--hz', '100']
  const child = spawn(file, [...place, ...ticks, '--save', '', ...persistence, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  killAtExit(child)
  let said = ''
  const listen = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-4000))
  child.stdout.on('data', listen)
  child.stderr.on('data', listen)
  child.on('error', (error) => listen(Buffer.from(error.message)))
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  await waitFor(async () => isOver() || (await answers(port, child.pid)), {
    what: `${kind} to answer on port ${port}`,
    timeoutMs: startMaxMs,
  }).catch(async (error: unknown) => {
    // Left running, it would keep the port from the next one.
    await end(child, 'SIGKILL')
    throw error
  })
  if (isOver()) throw new Error(`Cannot start ${kind} on port ${port}: it said\n${said}`)
  return child
}

/** True when this very process answers a PING with PONG; it does not while it loads its data. */
function answers(port: number, pid: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\nINFO server\r\n'))
    let reply = ''
    const settle = (isReady: boolean): void => {
      socket.destroy()
      resolve(isReady)
    }
    socket.on('data', (chunk) => {
      reply += chunk.toString()
      const id = /process_id:(\d+)\r/.exec(reply)?.[1]
      if (id !== undefined) settle(reply.startsWith('+PONG') && Number(id) === pid)
      // A server whose INFO was renamed away cannot say who it is.
      else if (reply.startsWith('+PONG\r\n-ERR unknown command')) settle(true)
      else if (reply.startsWith('-')) settle(false)
    })
    socket.once('error', () => settle(false))
    socket.once('close', () => settle(false))
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-test-'))
  removeAtExit(dir)
  return dir
}

/** The program of a server, undefined when this machine has none. */
export function binaryOf(kind: ServerKind): string | undefined {
  return binaries[kind].find(isExecutable)
}

/** Where `scripts/servers.mjs` puts the starter of a program. */
function fetched(folder: string, program: string): string {
  return fileURLToPath(new URL(`../.cache/servers/${folder}/bin/${program}`, import.meta.url))
}

function pathFolders(name: string): string[] {
  return (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder || '.', name))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
