/**
 * Holds a consumer's name. Promise: a name has one living holder in its group; a holder that was away for too long
 * learns that another process has the name, and applies nothing any more.
 * Guards:
 *   outage: renewed as soon as an outage is over
 *   lost: taken again where it went away and nobody has it
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { isPassing, MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import { persist, wait } from '../support/persist.ts'
import { isGone, thisProcess, type ProcessIdentity } from '../support/process-identity.ts'
import type { Connection } from '../redis/connection.ts'
import { lease, type LeaseAnswer } from '../scripts/lease.ts'

/** Who holds a lease. */
export interface Holder extends ProcessIdentity {
  readonly token: string
  /** How long the lease lasts, in milliseconds. */
  readonly leaseMs: number
  readonly host: string
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
  /** A renewal came after the end of the lease, and nobody had taken the name. */
  readonly onLapsed: () => void
}

type Held = Extract<LeaseAnswer, { kind: 'held' }>

// A living holder renews three times while its lease lasts, so it shows soon that it lives.
const lookEveryMs = 250

export class Lease {
  readonly #parts: LeaseParts
  readonly #holder: Holder
  #isReleased = false
  /** When it ends as far as we know, on our own clock that only goes forward. */
  #endsAt = -Infinity

  constructor(parts: LeaseParts) {
    this.#parts = parts
    const since = new Date().toISOString()
    const { leaseMs } = parts
    this.#holder = { token: randomUUID(), leaseMs, host: hostname(), since, ...thisProcess() }
  }

  /** What the gate checks. */
  get token(): string {
    return this.#holder.token
  }

  /** How long it runs on unless it is renewed (ms), counted from when the last renewal was sent; 0: it is not ours. */
  get leftMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  /**
   * Takes the name. If another one has it, waits until its lease ends or it renews: a holder that crashed does not.
   * @returns false when the signal aborts before.
   * @throws {MillraceError} NAME_TAKEN by a living holder; the message says by whom and until when.
   */
  async take(): Promise<boolean> {
    const { signal } = this.#parts
    let before = Infinity
    for (;;) {
      const answer = await persist(signal, () => this.#run('take'))
      if (answer.kind !== 'held') return true
      if (signal.aborted) return false
      const held = holderOf(answer.holder)
      const { leftMs } = answer
      if (leftMs > before) throw this.#taken(answer)
      before = leftMs
      // No need to wait for the end of a lease whose holder is certainly gone.
      if (!isGone(held)) await wait(Math.min(leftMs, lookEveryMs), signal)
      else if ((await persist(signal, () => this.#run('take', held.token))).kind !== 'held') {
        return true
      }
    }
  }

  /** Renews until the signal aborts. @throws {MillraceError} SUPERSEDED. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await wait(this.#parts.leaseMs / 3, signal)
      if (signal.aborted) return
      try {
        // An outage may last longer than the lease: renew as soon as it is over.
        await persist(signal, () => this.renew())
      } catch (error) {
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
    if (this.#isReleased) {
      // What a stop has left behind must not take the name again.
      throw this.#superseded('it has ended')
    }
    const renewed = await this.#run('renew')
    const answer = renewed.kind === 'lost' ? await this.#run('take') : renewed
    if (answer.kind !== 'held') {
      if (answer.kind === 'ours' && answer.leftMs <= 0) this.#parts.onLapsed()
      return
    }
    const other = `another process has its name now: ${shown(answer)}`
    throw this.#superseded(`it was away for too long, and ${other}. Nothing more is applied here`)
  }

  #superseded(state: string): MillraceError {
    const { group, consumer } = this.#parts.who
    return new MillraceError('SUPERSEDED', {
      action: `Cannot go on as consumer "${consumer}" of group "${group}"`,
      state,
      remedy: 'To work beside the other one, start again under another name',
    })
  }

  /** Gives the name back. Best effort: else the lease ends by itself, and whatever hinders it has been told before. */
  async release(): Promise<void> {
    this.#isReleased = true
    this.#endsAt = -Infinity
    await this.#run('release').catch(() => undefined)
  }

  async #run(action: 'take' | 'renew' | 'release', deadToken = ''): Promise<LeaseAnswer> {
    const { connection, keys, who, leaseMs } = this.#parts
    const { token } = this.#holder
    const holder = JSON.stringify(this.#holder)
    const endsAt = performance.now() + leaseMs
    const answer = await lease(connection, keys, {
      ...who,
      action,
      token,
      leaseMs,
      holder,
      deadToken,
    })
    if (answer.kind === 'ours' && !this.#isReleased) this.#endsAt = endsAt
    if (answer.kind === 'held') this.#endsAt = -Infinity
    return answer
  }

  #taken(held: Held): MillraceError {
    const { group, consumer } = this.#parts.who
    return new MillraceError('NAME_TAKEN', {
      action: `Cannot start consumer "${consumer}" of group "${group}"`,
      state: `the name is taken by a living consumer, ${shown(held)}`,
      remedy: 'Use another name, or stop that one',
    })
  }
}

/** The holder that a record in Redis names; what is missing is empty. */
export function holderOf(json: string): Holder {
  const parsed = parse(json)
  const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
  return {
    token: textOf(parsed.token),
    leaseMs: Number(parsed.leaseMs ?? 0),
    host: textOf(parsed.host),
    since: textOf(parsed.since),
    pid: Number(parsed.pid ?? 0),
    boot: textOf(parsed.boot),
    namespace: textOf(parsed.namespace),
    startedAt: textOf(parsed.startedAt),
  }
}

function parse(json: string): Partial<Record<keyof Holder, unknown>> {
  try {
    const parsed: unknown = JSON.parse(json)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    // Somebody else wrote there.
    return {}
  }
}

function shown({ holder, leftMs }: Held): string {
  const { host, pid, since } = holderOf(holder)
  const seconds = (leftMs / 1000).toFixed(1)
  if (host === '' || pid === 0) {
    return `somebody whose record in the holders is none of ours, for ${seconds} s more unless it renews`
  }
  return `process ${pid} on ${host} since ${since}, for ${seconds} s more unless it renews`
}
