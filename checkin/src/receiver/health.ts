import type { FastifyInstance } from 'fastify'
import { jsonAnswer } from './documentation.ts'
import type { ReceiverParts } from './parts.ts'
import { resource } from './resources.ts'

const healthSchema = {
  type: 'object',
  required: ['status', 'redis'],
  properties: {
    status: { enum: ['ok', 'unavailable'] },
    redis: { enum: ['reachable', 'unreachable'] },
  },
  additionalProperties: false,
}

/** `GET /health`: 200 when Redis answers, else 503; within the bounds of `calls` either way. */
export function healthRoute(app: FastifyInstance, parts: ReceiverParts): void {
  resource(app, ['/health'], {
    method: 'GET',
    requires: 'nothing',
    schema: {
      summary: 'Whether the store answers',
      tags: ['operation'],
      response: {
        200: jsonAnswer('It does', healthSchema),
        503: jsonAnswer('It does not', healthSchema),
      },
    },
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      try {
        await parts.calls.run(() => parts.millrace.send('PING'))
        return { status: 'ok', redis: 'reachable' }
      } catch {
        // Why it does not answer is for the log of the connection, not for whoever asks.
        return reply.code(503).send({ status: 'unavailable', redis: 'unreachable' })
      }
    },
  })
}
