/** The one place where errors become answers. Promise: the text of an error never leaves the process. */
import type { FastifyInstance } from 'fastify'
import { MillraceError, type MillraceErrorCode } from 'millrace'
import type { Log } from '../../log.ts'
import { OverloadError } from '../limits/bounded-calls.ts'
import { endConnection } from '../http/answer-order.ts'
import { plainProblem, ProblemError, sendProblem, type Problem } from '../http/problem.ts'
import type { RefusalLog } from './refusal-log.ts'
import { KeysUnavailableError } from '../access/remote-keys.ts'
import { sentence } from 'millrace-ops/terminal'

/** What the failed request wanted: only an append has an outcome that may be unknown. */
export type Purpose = 'append' | 'read'

/** Turns errors into answers, and tells the log what the operator must know. */
export class Failures {
  readonly #log: Log
  readonly #refusals: RefusalLog

  constructor(log: Log, refusals: RefusalLog) {
    this.#log = log
    this.#refusals = refusals
  }

  /** @param request the one that failed, with the id that its client is told. */
  problemOf(error: unknown, request: { readonly method: string; readonly id: string }): Problem {
    const isAppend = request.method === 'POST'
    const problem = problemOf(error, isAppend ? 'append' : 'read')
    if (problem.status === 503) this.#refusals.refused(error, isAppend)
    else if (problem.status >= 500) {
      if (isAppend) this.#refusals.failed(error)
      this.#log.error({ err: error, requestId: request.id }, `Request failed: ${String(error)}`)
    }
    return problem
  }
}

/** Answers whatever is thrown while a request is served. */
export function answerErrors(app: FastifyInstance, failures: Failures): void {
  app.setErrorHandler((error, request, reply) => {
    const { retryAfterS } = error as { retryAfterS?: unknown }
    if (typeof retryAfterS === 'number') reply.header('retry-after', retryAfterS)
    const problem = failures.problemOf(error, request)
    // Its rest is not read.
    if (problem.status === 413) endConnection(reply.raw)
    // The framework says `close` of every body that it cannot parse. The end of most is known, and what is behind has begun by now.
    if (reply.raw.shouldKeepAlive && reply.hasHeader('connection')) {
      reply.header('connection', 'keep-alive')
    }
    return sendProblem(reply, problem)
  })
}

/** Turns whatever was thrown while a request was served into the problem that its client sees. */
export function problemOf(error: unknown, purpose: Purpose): Problem {
  if (error instanceof MillraceError) return engineProblems[error.code](purpose)
  if (error instanceof OverloadError) {
    return unavailable('Too many requests are being worked on', purpose)
  }
  if (error instanceof KeysUnavailableError) {
    return unavailable('Keys and tokens cannot be checked now', purpose)
  }
  if (error instanceof ProblemError) return error.problem
  return requestProblem(error)
}

type Told = (purpose: Purpose) => Problem

const told =
  (detail: string): Told =>
  (purpose) =>
    unavailable(detail, purpose)
const lostReply: Told = (purpose) =>
  purpose === 'append' ? outcomeUnknown : unavailable('The store did not answer in time', purpose)
/** Not about an append or a read of the receiver: a defect, if it comes at all. */
const unexpected: Told = () => internal

/** Each code by itself, so that a new one gets a thought. */
const engineProblems: Readonly<Record<MillraceErrorCode, Told>> = {
  DISCONNECTED: lostReply,
  TIMEOUT: lostReply,
  NOT_REPLICATED: () => notReplicated,
  UNREACHABLE: told('The store cannot be reached'),
  CLOSED: told('The store cannot be reached'),
  AUTHENTICATION: told('The store cannot be reached'),
  SERVER_FULL: told('The store is full'),
  SERVER_BUSY: told('The store is busy'),
  READ_ONLY: told('The store takes no writes'),
  EXHAUSTED: told('The stream takes no more entries'),
  CONSUMER_ALIVE: unexpected,
  GROUP_LOST: unexpected,
  GROUP_MOVED: unexpected,
  NAME_TAKEN: unexpected,
  NO_CONSUMER: unexpected,
  NO_GROUP: unexpected,
  NO_STREAM: unexpected,
  POSITION_MOVED: unexpected,
  PROJECTION_CHANGED: unexpected,
  REFUSED: unexpected,
  SERVER_TOO_OLD: unexpected,
  SUPERSEDED: unexpected,
  WRONG_TYPE: unexpected,
}

const outcomeUnknown: Problem = {
  type: '/problems/outcome-unknown',
  title: 'Outcome unknown',
  status: 503,
  detail:
    'The store did not confirm the check-in in time. It may have been recorded: sent again, it may count twice, unless it ' +
    'has an Idempotency-Key',
}

const notReplicated: Problem = {
  type: '/problems/not-replicated',
  title: 'Recorded, but not safe yet',
  status: 503,
  detail:
    'The check-in was recorded, but too few replicas have confirmed it in time: it is lost if the store fails now. Sent ' +
    'again it counts twice, unless it has an Idempotency-Key',
}

const internal = plainProblem(
  500,
  'Something is wrong on this side; the log of the receiver says what',
)

function unavailable(reason: string, purpose: Purpose): Problem {
  const detail = purpose === 'append' ? `${sentence(reason)} The check-in was not recorded` : reason
  return { type: '/problems/unavailable', title: 'Temporarily unavailable', status: 503, detail }
}

// Errors of Fastify and its plugins that carry a status are the client's fault; any other error is ours.
function requestProblem(error: unknown): Problem {
  const { statusCode } = error as { statusCode?: unknown }
  const isOfClient = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
  if (!isOfClient) return internal
  return plainProblem(statusCode, details[statusCode] ?? 'The request cannot be answered')
}

const details: Readonly<Record<number, string>> = {
  400: 'The body is not valid JSON, or not as long as Content-Length says',
  403: 'There is nothing to be read at this address',
  412: 'The condition of the request does not hold',
  413: 'The body is longer than 16 KB, or than 1 MB for a batch',
  415: 'The body must be JSON, with Content-Type: application/json; batches may be application/x-ndjson too',
  416: 'The range lies beyond the end',
}
