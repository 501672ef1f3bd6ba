import type { FastifyInstance } from 'fastify'
import type { ReceiverMetrics } from './metrics.ts'
import { resource } from '../http/resources.ts'

/** `GET /metrics` for Prometheus; with several workers, the sum of all. It asks for a scope of its own: who watches needs to see nobody. */
export function metricsRoute(
  app: FastifyInstance,
  metrics: ReceiverMetrics,
  text: () => Promise<string> = () => metrics.text(),
): void {
  resource(app, ['/metrics'], {
    method: 'GET',
    requires: 'metrics',
    schema: {
      operationId: 'getMetrics',
      summary: 'Counters and durations for Prometheus',
      tags: ['operation'],
      response: {
        200: {
          description: 'The text format of Prometheus, version 0.0.4',
          content: { 'text/plain': { schema: { type: 'string' } } },
        },
      },
    },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await text()),
  })
}
