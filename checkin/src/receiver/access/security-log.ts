/**
 * Who was turned away, why, and from where. Promise: the first refusal of each kind is told at once, its repetitions as a number once a
 * minute; at most 200 lines a minute, whatever comes; never a secret.
 */
import type { FastifyRequest } from 'fastify'
import type { Log } from '../../log.ts'
import { countOf, printable, written } from 'millrace-ops/terminal'
import type { Refusal } from './identity.ts'
import type { ReceiverMetrics } from '../metrics/metrics.ts'
import { clientOf } from './rate-limit.ts'

type TurnedAway = Refusal | 'missing-scope' | 'another-user' | 'rate' | 'wrong-host'

/** One refusal. */
export interface Incident {
  readonly status: 401 | 403 | 421 | 429
  readonly reason: TurnedAway
  /** The id of a key, or the subject of a token whose signature was right. */
  readonly who?: string | undefined
}

interface Repeated extends Incident {
  readonly client: string
  count: number
}

const windowMs = 60_000
const kindsMax = 100
const whoMax = 64

export class SecurityLog {
  readonly #log: Log
  readonly #metrics: Pick<ReceiverMetrics, 'turnedAway'>
  readonly #kinds = new Map<string, Repeated>()
  #others = 0
  #timer: NodeJS.Timeout | undefined

  constructor(log: Log, metrics: Pick<ReceiverMetrics, 'turnedAway'>) {
    this.#log = log
    this.#metrics = metrics
  }

  refused(request: FastifyRequest, { status, reason, who }: Incident): void {
    this.#metrics.turnedAway(reason)
    const client = clientOf(request.ip)
    const name = who?.slice(0, whoMax)
    const kind = JSON.stringify([status, reason, client, name])
    const known = this.#kinds.get(kind)
    if (known !== undefined) {
      known.count += 1
      return
    }
    this.#timer ??= setTimeout(() => this.flush(), windowMs).unref()
    if (this.#kinds.size >= kindsMax) {
      this.#others += 1
      return
    }
    const incident = { status, reason, client, who: name, count: 0 }
    this.#kinds.set(kind, incident)
    const { id: requestId, method } = request
    const at = { requestId, method, route: request.routeOptions.url }
    this.#log.warn({ ...fieldsOf(incident), ...at }, `${sentence(incident)}.`)
  }

  /** A token that is about another user than its own. */
  anotherUser(request: FastifyRequest): void {
    const { identity } = request
    const who = identity?.kind === 'token' ? identity.subject : undefined
    this.refused(request, { status: 403, reason: 'another-user', who })
  }

  /** A client whose check-ins are more than it may send in a second. */
  tooFast(request: FastifyRequest): void {
    const { identity } = request
    const who = identity?.kind === 'token' ? identity.subject : identity?.id
    this.refused(request, { status: 429, reason: 'rate', who })
  }

  /** Tells what was repeated, and begins anew. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const incident of this.#kinds.values()) {
      if (incident.count === 0) continue
      const fields = { ...fieldsOf(incident), repeated: incident.count }
      this.#log.warn(fields, `${sentence(incident)}: ${written(incident.count)} more.`)
    }
    if (this.#others > 0) {
      const fields = { event: 'turned-away', repeated: this.#others }
      this.#log.warn(fields, `Turned away: ${countOf(this.#others, 'request')} of other kinds.`)
    }
    this.#kinds.clear()
    this.#others = 0
  }
}

function fieldsOf({ status, reason, client, who }: Repeated): object {
  return { event: 'turned-away', status, reason, client, who }
}

function sentence({ status, reason, client, who }: Repeated): string {
  const by = who === undefined ? '' : ` (${printable(who)})`
  return `Turned away ${printable(client)}${by} with ${status}: ${reason}`
}
