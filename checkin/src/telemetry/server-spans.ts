/**
 * Spans of the requests for the API, as the conventions of OpenTelemetry for HTTP (stable) name them. What is done for a request is done
 * inside its span. Requests for health and metrics have none.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import type { RequestSpans, Serve } from '../receiver/traces/request-spans.ts'

export class ServerSpans implements RequestSpans {
  readonly #tracer: Tracer
  readonly #routes = new WeakMap<IncomingMessage, string>()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  around(serve: Serve): Serve {
    return (request, response) => {
      const path = request.url?.split('?', 1)[0] ?? ''
      if (!path.startsWith('/api/')) {
        serve(request, response)
        return
      }
      const parent = propagation.extract(ROOT_CONTEXT, request.headers)
      const { method = '' } = request
      const attributes = { 'http.request.method': method, 'url.path': path, 'url.scheme': 'http' }
      const span = this.#tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent)
      const within = trace.setSpan(parent, span)
      // Events of the body come from the socket, where nothing is active.
      context.bind(within, request)
      context.bind(within, response)
      response.once('close', () => this.#end(span, request, response))
      context.with(within, () => serve(request, response))
    }
  }

  routed(request: IncomingMessage, route: string): void {
    this.#routes.set(request, route)
  }

  #end(span: Span, request: IncomingMessage, response: ServerResponse): void {
    const route = this.#routes.get(request)
    if (route !== undefined) {
      span.updateName(`${request.method ?? ''} ${route}`)
      span.setAttribute('http.route', route)
    }
    if (response.headersSent) {
      const { statusCode } = response
      span.setAttribute('http.response.status_code', statusCode)
      if (statusCode >= 500) {
        span.setAttribute('error.type', String(statusCode))
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
    }
    span.end()
  }
}
