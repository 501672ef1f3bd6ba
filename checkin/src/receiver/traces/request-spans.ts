/** What a trace is told of requests. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

export type Serve = (request: IncomingMessage, response: ServerResponse) => void

export interface RequestSpans {
  /** What serves requests, each inside its span. */
  around(serve: Serve): Serve
  /** Which route takes a request. */
  routed(request: IncomingMessage, route: string): void
}

/** Tells the routes of requests as soon as they are found. */
export function tellRoutes(app: FastifyInstance, spans: Pick<RequestSpans, 'routed'>): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url
    if (route !== undefined) spans.routed(request.raw, route)
    done()
  })
}
