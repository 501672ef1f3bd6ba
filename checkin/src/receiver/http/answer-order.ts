/**
 * The answers of a connection, which HTTP tells apart by their order alone. Promise: whatever was read as a request gets its own
 * answer, nothing else is written before that, and what cannot be answered any more is not begun.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

// Properties and no maps: this is done for every request.
const latest = Symbol('the answer to the latest request')
const isLast = Symbol('nothing is read after its request')

interface Answer extends ServerResponse {
  [isLast]?: true
}

interface Connection extends Socket {
  [latest]?: Answer
}

/**
 * Lets this serve every request. From `isLeaving` on, each connection ends with its next answer. So it does where a
 * request asks for another protocol: Node answers it in this one, but drops what came in one piece with it.
 */
export function serveInOrder(
  app: FastifyInstance,
  shutdown: { readonly isLeaving: boolean },
  serve: Serve = (request, response) => app.routing(request, response),
): void {
  app.server.removeAllListeners('request')
  app.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection: Connection = request.socket
    const before = connection[latest]
    // Pipelined behind an answer that says that it is the last one, also when that is out already.
    if (before?.shouldKeepAlive === false && !postponeEnd(before)) return
    connection[latest] = response
    if (before !== undefined && response.socket === null) passOnCut(before, response)
    if (shutdown.isLeaving) endConnection(response)
    if (request.headers.upgrade !== undefined) endAfter(response, connection)
    serve(request, response)
  })
}

/** Calls when the answer is out or its client is gone; at once when that was before. */
export function whenOver(response: ServerResponse, then: () => void): void {
  if (response.destroyed) then()
  else response.once('close', then)
}

/**
 * Lets a connection end with this answer, and tells the client so; unless requests behind it have begun. Its own was read to its
 * end then, so there is no need.
 */
export function endConnection(response: ServerResponse): void {
  const { [latest]: last }: Connection = response.req.socket
  if (last !== undefined && last !== response) return
  // A header would do the same, but not be seen by `serveInOrder`.
  response.shouldKeepAlive = false
}

/** The answer to the latest request of a connection, as long as it is not out. Answers go out in order: then all are. */
export function answerUnderWay(socket: Connection): ServerResponse | undefined {
  const response = socket[latest]
  return response !== undefined && isUnderWay(response) ? response : undefined
}

/** True when the latest request of a connection had its answer before its body was read. */
export function isAmidBody(socket: Connection): boolean {
  return socket[latest]?.req.complete === false
}

/**
 * Answers what is under way, and then closes the connection; nothing that comes behind it is served.
 * @returns false when that was asked for before.
 */
export function endAfter(response: Answer, socket: Socket): boolean {
  if (response[isLast] === true) return false
  response[isLast] = true
  endConnection(response)
  // Also when it has begun, and said something else.
  response.once('finish', () => socket.destroySoon())
  return true
}

/**
 * Node tells that a connection is cut to the answer alone whose turn it is. Each of those that wait behind it learns it, as Node would
 * tell it, from the one before.
 */
function passOnCut(before: ServerResponse, response: ServerResponse): void {
  whenOver(before, () => {
    if (before.writableFinished) return
    // There may be thousands: one step each.
    process.nextTick(() => {
      Object.assign(response, { destroyed: true, _closed: true })
      response.emit('close')
    })
  })
}

function isUnderWay(response: ServerResponse): boolean {
  return !response.writableFinished && !response.destroyed
}

/** Another request has come behind it: the end of the connection is for that one to announce, if it is not announced already. */
function postponeEnd(response: Answer): boolean {
  if (response.headersSent || response[isLast] === true) return false
  // Fastify sets it, too, while it closes.
  response.removeHeader('connection')
  response.shouldKeepAlive = true
  return true
}
