import type { FastifyInstance } from 'fastify'
import type { ReceiverParts } from './parts.ts'
import { resource } from './resources.ts'

/** `GET /health`: 200 when Redis answers, else 503; within the bounds of `calls` either way. */
export function healthRoute(app: FastifyInstance, parts: ReceiverParts): void {
  resource(app, ['/health'], {
    method: 'GET',
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
