/**
 * The short way of a plain check-in, past the framework: most requests are such, and half of what one costs is the framework.
 * Promise: its client sees the same as on the long way, and whatever is not plain takes the long way, untouched.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Checkin } from '../../domain/checkins.ts'
import { serveInOrder } from '../http/answer-order.ts'
import { readCheckin } from './checkin-body.ts'
import type { Failures } from '../operation/failures.ts'
import type { Shutdown } from '../operation/shutdown.ts'
import type { ReceiverMetrics } from '../metrics/metrics.ts'
import type { HostCheck } from '../http/origins.ts'
import { problemHeaders, problemText, type Problem } from '../http/problem.ts'
import type { RequestSpans, Serve } from '../traces/request-spans.ts'
import { requestIdHeader, requestIdOf } from '../http/request-id.ts'
import { bodyMaxBytes } from '../http/resources.ts'
import { securityHeaderList, securityHeaders } from '../http/security-headers.ts'
import {
  acceptedMediaType,
  acceptedText,
  checkinUrl,
  locationOf,
  type CheckinParts,
} from './post-checkin.ts'

export interface PlainParts extends Pick<CheckinParts, 'recorder' | 'pressure'> {
  readonly shutdown: Pick<Shutdown, 'isLeaving'>
  readonly metrics: Pick<ReceiverMetrics, 'route'>
  readonly hosts: () => HostCheck
  readonly failures: Failures
  readonly requests: RequestSpans | undefined
}

/** To be called after the routes are added, where nobody must show who it is, and no hook is to see the request. */
export function takePlainCheckins(app: FastifyInstance, parts: PlainParts): void {
  const { pressure, shutdown, requests } = parts
  const checkinIn = bodyReader(app)
  const answer = answerer(parts)
  const serve: Serve = (request, response) => {
    const length = lengthOfPlain(request)
    const isTaken = length > 0 && pressure.state.kind === 'free'
    if (!isTaken || !parts.hosts().accepts(request.headers.host)) {
      app.routing(request, response)
      return
    }
    // A short body comes with the headers, and is there as soon as Node has gone through what it received.
    process.nextTick(() => {
      const checkin = request.readableLength === length ? checkinIn(request) : undefined
      if (checkin === undefined) app.routing(request, response)
      else {
        requests?.routed(request, checkinUrl)
        void answer(request, response, checkin)
      }
    })
  }
  serveInOrder(app, shutdown, requests === undefined ? serve : requests.around(serve))
}

/** Reads a check-in from a body that is there as a whole; undefined: it is not valid, and stays where it is. */
function bodyReader(app: FastifyInstance): (request: IncomingMessage) => Checkin | undefined {
  // The parser of the long way. It calls back at once, and does not look at the request.
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request) => {
    const body = request.read() as Buffer
    let checkin: Checkin | undefined
    void parse(undefined as never, body.toString(), (error, value) => {
      const read = error === null ? readCheckin(value) : undefined
      if (read?.kind === 'valid') ({ checkin } = read)
    })
    if (checkin === undefined) request.unshift(body)
    return checkin
  }
}

type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  checkin: Checkin,
) => Promise<void>

/** Appends a check-in and answers as the route does. */
function answerer({ recorder, metrics, failures }: PlainParts): Answer {
  const route = metrics.route('POST', checkinUrl, { isIngest: true })
  return async (request, response, checkin) => {
    const startedAt = performance.now()
    const requestId = requestIdOf(request)
    let status = 202
    try {
      const id = await recorder.record(checkin, request.headers)
      accept(response, requestId, id)
    } catch (error) {
      const problem = failures.problemOf(error, { method: 'POST', id: requestId })
      ;({ status } = problem)
      refuse(response, requestId, problem)
    }
    route.answered(status, performance.now() - startedAt)
  }
}

function accept(response: ServerResponse, requestId: string, id: string): void {
  const text = acceptedText(id)
  // A list, not an object: Node writes it out as it is.
  // prettier-ignore
  response.writeHead(202, [
    requestIdHeader, requestId,
    ...securityHeaderList,
    'location', locationOf(id),
    'content-type', acceptedMediaType,
    'content-length', String(text.length),
  ])
  response.end(text)
}

function refuse(response: ServerResponse, requestId: string, problem: Problem): void {
  const text = problemText(problem, requestId)
  response.writeHead(problem.status, {
    ...securityHeaders,
    ...problemHeaders(problem, requestId),
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

/** The length of the body (bytes) of a request that is a plain one as far as its headers tell; 0: it is not. */
function lengthOfPlain({ method, url, headers }: IncomingMessage): number {
  if (method !== 'POST' || url !== checkinUrl || !arePlain(headers)) return 0
  // Not a number where the body comes in chunks.
  const length = Number(headers['content-length'])
  return length <= bodyMaxBytes ? length : 0
}

function arePlain(headers: IncomingHttpHeaders): boolean {
  return (
    headers['content-type'] === 'application/json' &&
    headers['idempotency-key'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers.expect === undefined
  )
}
