/** `api/events`: server-sent events for the open pages. Promise: one more page costs the server nothing. */
import type { FastifyInstance } from 'fastify'
import { named } from '../data/data-routes.ts'
import { securityHeaders } from '../headers.ts'
import type { Parts } from '../parts.ts'
import { queries, type OfGroup } from '../data/queries.ts'
import { Viewer } from './viewer.ts'

const viewersMax = 100

/** @returns ends all of them. */
export function addEventsRoute(app: FastifyInstance, { live }: Pick<Parts, 'live'>): () => void {
  const viewers = new Set<Viewer>()
  app.get<{ Querystring: Partial<OfGroup> }>(
    '/api/events',
    { schema: queries.maybeGroup, exposeHeadRoute: false },
    (request, reply) => {
      reply.hijack()
      const response = reply.raw
      response.writeHead(200, {
        ...securityHeaders,
        'content-type': 'text/event-stream; charset=utf-8',
        // nginx would hold the events back.
        'x-accel-buffering': 'no',
      })
      const lastId = request.headers['last-event-id']
      const viewer = new Viewer(response, {
        focus: named(request.query),
        lastId: typeof lastId === 'string' ? lastId : undefined,
        onEnd: () => {
          viewers.delete(viewer)
          unwatch()
        },
      })
      viewers.add(viewer)
      const unwatch = live.watch(viewer)
      // A page that was left open somewhere must not keep out the one that somebody opens now.
      const [oldest] = viewers
      if (viewers.size > viewersMax) oldest?.end()
    },
  )
  return () => {
    for (const viewer of viewers) viewer.end()
  }
}
