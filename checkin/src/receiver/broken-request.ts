import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { plainProblem, problemMediaType, problemText } from './problem.ts'
import { nextRequestId, requestIdHeader } from './request-id.ts'

const details: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time'],
  HPE_HEADER_OVERFLOW: [431, 'The headers are too long'],
}
const unreadable = [400, 'This is not HTTP as it should be'] as const

/** Answers what Node could not read as a request, and closes the connection: what follows has no known beginning. */
export function answerBrokenRequest(
  error: Error & { readonly code: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, detail] = details[error.code] ?? unreadable
  const id = nextRequestId()
  const body = problemText(plainProblem(status, detail), id)
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n` +
      `Content-Type: ${problemMediaType}\r\n${requestIdHeader}: ${id}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  socket.destroySoon()
}
