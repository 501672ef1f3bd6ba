/**
 * Holds a consumer's name. Promise: a name has one living holder in its group; a holder that was away for too long
 * learns that another process has the name, and applies nothing any more.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { problem } from './effects.ts'
import { isPassing, MillraceError } from './errors.ts'
import type { GroupKeys } from './keys.ts'
import { persist, wait } from './persist.ts'
import type { Connection, Reply } from './redis/connection.ts'
import { runScript, scripts } from './redis/scripts.ts'

/** Who holds a lease. */
export interface Holder {
  readonly token: string
  readonly host: string
  readonly pid: number
  /** When the name was taken, ISO 8601. */
  readonly since: string
}

export interface LeaseParts {
  readonly connection: Connection
  readonly keys: GroupKeys
  readonly who: { readonly group: string; readonly consumer: string }
  /** A lease that is not renewed ends after so long, in milliseconds. */
  readonly leaseMs: number
  readonly signal: AbortSignal
}

export class Lease {
  readonly #parts: LeaseParts
  readonly #holder: Holder = {
    token: randomUUID(),
    host: hostname(),
    pid: process.pid,
    since: new Date().toISOString(),
  }

  constructor(parts: LeaseParts) {
    this.#parts = parts
  }

  /** What the gate checks. */
  get token(): string {
    return this.#holder.token
  }

  /** Takes the name. @throws {MillraceError} NAME_TAKEN by a living holder; the message says by whom and until when. */
  async take(): Promise<void> {
    const reply = await persist(this.#parts.signal, () => this.#run('take'))
    if (reply[0] !== 'held') return
    const held = holderOf(String(reply[1]))
    // A process of this machine that is gone will not renew; no need to wait for the end of its lease.
    const again = isGone(held) ? await this.#run('take', held.token) : reply
    if (again[0] === 'held') throw this.#taken(again)
  }

  /** Renews until the signal aborts. @throws {MillraceError} SUPERSEDED. */
  async run(signal: AbortSignal): Promise<void> {
    const { leaseMs } = this.#parts
    for (;;) {
      await wait(leaseMs / 3, signal)
      if (signal.aborted) return
      try {
        await this.renew()
      } catch (error) {
        // The next round tries again; if the lease ends meanwhile, the gate keeps what we still do harmless.
        if (!isPassing(error)) throw error
      }
    }
  }

  /**
   * Renews the lease, and takes it again when it was lost and nobody has it: its record went away with a failover, or
   * a sweep removed it.
   * @throws {MillraceError} SUPERSEDED when another process has the name.
   */
  async renew(): Promise<void> {
    if ((await this.#run('renew'))[0] !== 'lost') return
    const reply = await this.#run('take')
    if (reply[0] !== 'held') return
    const { group, consumer } = this.#parts.who
    throw new MillraceError(
      'SUPERSEDED',
      `Superseded: consumer "${consumer}" of group "${group}" was away for too long, and another process has its name now: ${shown(reply)}. Nothing more is applied here`,
    )
  }

  /** Gives the name back. Best effort: else the lease ends by itself. */
  async release(): Promise<void> {
    await this.#run('release').catch((error: unknown) => {
      if (!isPassing(error)) throw error
    })
  }

  async #run(action: 'take' | 'renew' | 'release', deadToken = ''): Promise<Reply[]> {
    const { connection, keys, who, leaseMs } = this.#parts
    const { token } = this.#holder
    const duration = String(Math.ceil(leaseMs))
    const args = [action, who.consumer, token, duration, JSON.stringify(this.#holder), deadToken]
    const reply = await runScript(connection, scripts.lease, [keys.leases, keys.holders], args)
    if (reply[0] !== 'error') return reply
    throw problem(String(reply[1]), { stream: keys.stream, group: who.group })
  }

  #taken(reply: Reply[]): MillraceError {
    const { group, consumer } = this.#parts.who
    return new MillraceError(
      'NAME_TAKEN',
      `Cannot start consumer "${consumer}" of group "${group}": the name is taken by a living consumer, ${shown(reply)}. ` +
        'Use another name, or stop that one',
    )
  }
}

/** The holder that a record in Redis names; unknown parts are empty. */
export function holderOf(json: string): Holder {
  const parsed = JSON.parse(json) as Partial<Holder>
  return {
    token: String(parsed.token),
    host: String(parsed.host),
    pid: Number(parsed.pid),
    since: String(parsed.since),
  }
}

function shown(reply: Reply[]): string {
  const { host, pid, since } = holderOf(String(reply[1]))
  const seconds = (Number(reply[2]) / 1000).toFixed(1)
  return `process ${pid} on ${host} since ${since}, for ${seconds} s more unless it renews`
}

function isGone({ host, pid }: Holder): boolean {
  if (host !== hostname() || !Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}
