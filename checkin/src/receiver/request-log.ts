import type { FastifyInstance } from 'fastify'
import type { Log } from '../log.ts'
import { traceFields } from './trace.ts'

/**
 * A line for each request at level `debug`, and none otherwise: with its id, its route (never the address as it came), and what
 * became of it. Headers and bodies are never logged.
 */
export function logRequests(app: FastifyInstance, log: Log): void {
  if (!log.isLevelEnabled('debug')) return
  app.addHook('onResponse', (request, reply, done) => {
    const { method, id, identity } = request
    const route = request.routeOptions.url
    const fields = {
      requestId: id,
      method,
      route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ...(identity?.kind === 'key' ? { apiKey: identity.id } : {}),
      ...traceFields(request.headers),
    }
    log.debug(fields, `${method} ${route ?? '?'}: ${reply.statusCode}.`)
    done()
  })
}
