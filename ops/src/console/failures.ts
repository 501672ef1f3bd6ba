/** What goes wrong, as an answer: what the server says is told as it is; what nobody expected goes to the log. */
import { MillraceError, type MillraceErrorCode } from 'millrace'
import type { Log } from '../command/log.ts'
import type { Failure } from './wire.ts'

export interface Answer {
  readonly status: number
  readonly failure: Failure
}

const statuses: Partial<Record<MillraceErrorCode, number>> = {
  NO_STREAM: 404,
  NO_GROUP: 404,
  WRONG_TYPE: 409,
  TIMEOUT: 504,
}

export function answerTo(error: unknown, log: Pick<Log, 'error'>): Answer {
  if (error instanceof MillraceError) {
    const { code, message } = error
    // What Redis refuses is no matter of who may look: the console could not do its work.
    return { status: statuses[code] ?? 502, failure: { code, message } }
  }
  // A name or an id that cannot be one.
  if (error instanceof RangeError || isInvalid(error))
    return { status: 400, failure: { code: 'BAD_REQUEST', message: (error as Error).message } }
  log.error(`Console: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  const message = 'The console could not answer; its log says why.'
  return { status: 500, failure: { code: 'INTERNAL', message } }
}

/** Of Fastify: the query is not what the route takes. */
const isInvalid = (error: unknown): boolean =>
  error instanceof Error && 'statusCode' in error && error.statusCode === 400
