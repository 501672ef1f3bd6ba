import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { answerUnderWay, endAfter, isAmidBody } from './answer-order.ts'
import {
  plainProblem,
  ProblemError,
  problemMediaType,
  problemText,
  type Problem,
} from './problem.ts'
import { nextRequestId, requestIdHeader } from './request-id.ts'
import { securityHeaders } from './security-headers.ts'

const problems: Readonly<Record<string, Problem>> = {
  ERR_HTTP_REQUEST_TIMEOUT: plainProblem(408, 'The request did not arrive in time'),
  HPE_HEADER_OVERFLOW: plainProblem(431, 'The headers are too long'),
}
const unreadable = plainProblem(400, 'This is not HTTP as it should be')

/** For a request whose body cannot be read to its end. */
export function brokenRequest(): ProblemError {
  return new ProblemError(unreadable)
}

const broken = new WeakSet<IncomingMessage>()

/** True when the rest of the body will never come. */
export function isBroken(request: IncomingMessage): boolean {
  return broken.has(request)
}

/**
 * Deals with what Node could not read as a request, and closes the connection: what follows has no known beginning. Requests that
 * are under way get their own answers first, and no other: a client would take a 400 for the answer to one that was recorded.
 */
export function answerBrokenRequest(
  error: Error & { readonly code: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const response = answerUnderWay(socket)
  if (response !== undefined) {
    const { req: request } = response
    if (endAfter(response, socket) && !request.complete) breakOff(request)
    return
  }
  if (!isAmidBody(socket)) socket.write(rawAnswer(problems[error.code] ?? unreadable))
  socket.destroySoon()
}

/** Its own answer will say that it is broken, with what was recorded of it. */
function breakOff(request: IncomingMessage): void {
  broken.add(request)
  // Without a listener it would be thrown. Then nobody reads the body yet, and who begins to will ask `isBroken`.
  if (request.listenerCount('error') > 0) {
    request.emit('error', brokenRequest())
  }
}

const security = Object.entries(securityHeaders)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')

function rawAnswer(problem: Problem): string {
  const { status } = problem
  const id = nextRequestId()
  const body = problemText(problem, id)
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n` +
    `${security}Content-Type: ${problemMediaType}\r\n${requestIdHeader}: ${id}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
}
