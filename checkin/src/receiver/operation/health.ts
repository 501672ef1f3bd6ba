/** For supervisors and load balancers. Promise: each is answered within the bounds of `calls`, whatever Redis does. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Millrace } from 'millrace'
import type { Readiness } from 'millrace-ops/metrics'
import { jsonAnswer, type JsonSchema } from '../http/documentation.ts'
import { Durability, durabilityModes } from './durability.ts'
import type { Shutdown } from './shutdown.ts'
import { resource } from '../http/resources.ts'
import { isRefused, refusalReasons, storeState, type StoreParts } from './store-state.ts'

const statusOnly = (...states: string[]): JsonSchema => ({
  type: 'object',
  required: ['status'],
  properties: { status: { enum: states } },
  additionalProperties: false,
})

const healthSchema: JsonSchema = {
  type: 'object',
  required: ['status', 'redis', 'durability', 'waitReplicas'],
  properties: {
    status: {
      enum: ['ok', 'refusing', 'unavailable'],
      description: '`refusing`: the store answers, but check-ins are refused, for the `reason`',
    },
    reason: {
      enum: refusalReasons,
      description:
        '`memory`: the store is full, or nearly; `rights`: its user may not append; `stream-full`: no id is left; `replicas`: too few have what is appended; `wrong-type`: the key of the stream holds something else; `refused`: for any other reason',
    },
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

const readinessSchema = (...states: string[]): JsonSchema => {
  const { properties, ...rest } = statusOnly(...states)
  const reasons = [...refusalReasons, 'not-writable', 'unreachable']
  return { ...rest, properties: { ...(properties as object), reason: { enum: reasons } } }
}

export interface HealthParts extends StoreParts {
  readonly millrace: Pick<Millrace, 'checkWritable' | 'send'>
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
          'Yes; `refusing`: check-ins are refused for a while, as too many wait or this receiver has too much to do',
          readinessSchema('ready', 'refusing'),
        ),
        503: jsonAnswer(
          'No: shutting down, or the store is away or takes no check-ins',
          readinessSchema('closing', 'unavailable', 'refusing'),
        ),
      },
    },
    handler: async (_request, reply) => {
      const { isReady, ...body } = await readiness(parts)
      return answer(reply, isReady ? 200 : 503, body)
    },
  })
}

/**
 * Whether check-ins should be sent here. Not ready is who cannot have them recorded. Under pressure of its own the receiver is: clients
 * slow down by its answers, and without it the others would have more.
 */
export async function readiness(parts: HealthParts): Promise<Readiness> {
  if (parts.shutdown.isClosing) return { isReady: false, status: 'closing' }
  const state = await storeState(parts)
  switch (state.kind) {
    case 'taking':
      return { isReady: true, status: 'ready' }
    case 'refusing': {
      const { kind: status, reason } = state
      return { isReady: !isRefused(state), status, reason }
    }
    case 'not-writable':
    case 'unreachable':
      return { isReady: false, status: 'unavailable', reason: state.kind }
  }
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
      const state = await storeState(parts)
      const safety = { durability: await durability.mode(), waitReplicas: parts.replicas }
      switch (state.kind) {
        case 'taking':
          return answer(reply, 200, { status: 'ok', redis: 'reachable', ...safety })
        case 'refusing': {
          const { kind: status, reason } = state
          return answer(reply, 503, { status, reason, redis: 'reachable', ...safety })
        }
        case 'not-writable':
        case 'unreachable':
          return answer(reply, 503, { status: 'unavailable', redis: state.kind, ...safety })
      }
    },
  })
}

function answer(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').send(body)
}
