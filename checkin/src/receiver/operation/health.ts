/** For supervisors and load balancers. Promise: each is answered within the bounds of `calls`, whatever Redis does. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { MillraceError, type Millrace, type PressureReason } from 'millrace'
import { jsonAnswer, type JsonSchema } from '../http/documentation.ts'
import type { BoundedCalls } from '../limits/bounded-calls.ts'
import type { PressureSource } from '../limits/overload.ts'
import { Durability, durabilityModes } from './durability.ts'
import type { Shutdown } from './shutdown.ts'
import { resource } from '../http/resources.ts'

const statusOnly = (...states: string[]): JsonSchema => ({
  type: 'object',
  required: ['status'],
  properties: { status: { enum: states } },
  additionalProperties: false,
})

const pressureReasons: readonly PressureReason[] = ['backlog', 'memory', 'event-loop']

const healthSchema: JsonSchema = {
  type: 'object',
  required: ['status', 'redis', 'durability', 'waitReplicas'],
  properties: {
    status: {
      enum: ['ok', 'refusing', 'unavailable'],
      description: '`refusing`: the store answers, but check-ins are refused, for the `reason`',
    },
    reason: { enum: pressureReasons },
    redis: {
      enum: ['reachable', 'not-writable', 'unreachable'],
      description:
        'not-writable: it answers, but takes no work. It is a replica, loads its data, lacks replicas, or cannot write to its disk',
    },
    durability: {
      enum: durabilityModes,
      description: 'How the append-only file of the store is written; `none`: there is none.',
    },
    waitReplicas: {
      type: 'integer',
      minimum: 0,
      description: 'Replicas that have a check-in before it is answered with 202 (WAIT)',
    },
  },
  additionalProperties: false,
}

export interface HealthParts {
  readonly millrace: Pick<Millrace, 'checkWritable' | 'send'>
  readonly calls: BoundedCalls
  readonly pressure: PressureSource
  readonly shutdown: Pick<Shutdown, 'isClosing'>
  /** Replicas that must have a check-in before it is answered with 202. */
  readonly replicas: number
}

/** `GET /livez`, `/readyz` and `/health`. */
export function healthRoutes(app: FastifyInstance, parts: HealthParts): void {
  livezRoute(app)
  readyzRoute(app, parts)
  healthRoute(app, parts)
}

/** Of this process alone: who restarts it for an outage of Redis mends nothing. */
function livezRoute(app: FastifyInstance): void {
  resource(app, ['/livez'], {
    method: 'GET',
    requires: 'nothing',
    schema: {
      operationId: 'isLive',
      summary: 'Whether this process works',
      tags: ['operation'],
      response: { 200: jsonAnswer('It does', statusOnly('ok')) },
    },
    handler: (_request, reply) => answer(reply, 200, { status: 'ok' }),
  })
}

function readyzRoute(app: FastifyInstance, parts: HealthParts): void {
  resource(app, ['/readyz'], {
    method: 'GET',
    requires: 'nothing',
    schema: {
      operationId: 'isReady',
      summary: 'Whether requests should be sent here',
      tags: ['operation'],
      response: {
        200: jsonAnswer(
          'Yes; `refusing`: only to read, check-ins are refused for now, by all receivers alike',
          statusOnly('ready', 'refusing'),
        ),
        503: jsonAnswer(
          'No: shutting down, or the store is away or takes no check-ins',
          statusOnly('closing', 'unavailable'),
        ),
      },
    },
    handler: async (_request, reply) => {
      if (parts.shutdown.isClosing) return answer(reply, 503, { status: 'closing' })
      const isReady = (await redisState(parts)) === 'reachable'
      if (!isReady) return answer(reply, 503, { status: 'unavailable' })
      const isFree = parts.pressure.state.kind === 'free'
      return answer(reply, 200, { status: isFree ? 'ready' : 'refusing' })
    },
  })
}

function healthRoute(app: FastifyInstance, parts: HealthParts): void {
  const durability = new Durability(parts.calls, parts.millrace)
  resource(app, ['/health'], {
    method: 'GET',
    requires: 'nothing',
    schema: {
      operationId: 'getHealth',
      summary: 'Whether the store takes check-ins, and how safe it keeps what it confirms',
      tags: ['operation'],
      response: {
        200: jsonAnswer('It does', healthSchema),
        503: jsonAnswer(
          'It does not, and `durability` is what was known last; or check-ins are refused',
          healthSchema,
        ),
      },
    },
    handler: async (_request, reply) => {
      const redis = await redisState(parts)
      const safety = { durability: await durability.mode(), waitReplicas: parts.replicas }
      if (redis !== 'reachable') {
        return answer(reply, 503, { status: 'unavailable', redis, ...safety })
      }
      const { state } = parts.pressure
      if (state.kind === 'free') return answer(reply, 200, { status: 'ok', redis, ...safety })
      const { reason } = state
      return answer(reply, 503, { status: 'refusing', reason, redis, ...safety })
    },
  })
}

function answer(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').send(body)
}

/** A PING would not do: a replica answers it, and an idle receiver would not notice that it is at one. */
async function redisState({
  calls,
  millrace,
}: Pick<HealthParts, 'calls' | 'millrace'>): Promise<'reachable' | 'not-writable' | 'unreachable'> {
  try {
    await calls.run(() => millrace.checkWritable())
    return 'reachable'
  } catch (error) {
    // Why is for the log of the connection, not for whoever asks.
    const code = error instanceof MillraceError ? error.code : undefined
    return code === 'READ_ONLY' || code === 'SERVER_BUSY' ? 'not-writable' : 'unreachable'
  }
}
