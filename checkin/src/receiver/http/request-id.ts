import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** The header that carries the id of a request, in both directions. */
export const requestIdHeader = 'x-request-id'

// What is safe in logs, headers and JSON, and of a length that nobody minds to repeat.
const sane = /^[A-Za-z0-9._:/+=-]{1,128}$/

/** The id that the client gave its request, when it is a sane one, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[requestIdHeader]
  return typeof given === 'string' && sane.test(given) ? given : nextRequestId()
}

const start = randomBytes(6).toString('hex')
let count = 0

/** Unique: a random start for the process, then a count. */
export function nextRequestId(): string {
  count += 1
  return `${start}-${count.toString(36)}`
}
