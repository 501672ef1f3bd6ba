import { randomInt } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { requestIdHeader } from './request-id.ts'

/** What is wrong with one part of the request: a JSON pointer as a URI fragment (RFC 6901), and what is allowed there. */
export interface FieldError {
  readonly pointer: string
  readonly detail: string
}

/** An error as the client sees it: problem details of RFC 9457. */
export interface Problem {
  /** Stable; programs compare it. `about:blank`: the status says it all. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly FieldError[]
}

export const problemMediaType = 'application/problem+json'

/** A problem that its status describes. */
export function plainProblem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail }
}

/** JSON whose parts are not what they should be, each named: 422. (What is no JSON at all is a plain 400.) */
export function invalidProblem(title: string, errors: readonly FieldError[]): Problem {
  const detail = errors.map((error) => `${error.pointer} ${error.detail}`).join('; ')
  return { type: '/problems/validation', title, status: 422, detail, errors }
}

/** Parameters of the address that are not what they should be, each named. They are no content, so it is a 400. */
export function wrongParameters(errors: readonly FieldError[]): Problem {
  return { ...invalidProblem('The parameters are not valid', errors), status: 400 }
}

/** Says by itself what its client sees. */
export class ProblemError extends Error {
  override readonly name: string = 'ProblemError'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

const retryAfterMaxS = 3

/**
 * Answers with a problem and the id of the request. A 503 says when to come back: 1 to 3 s, at random, so that not all clients come at once,
 * unless the reply has a Retry-After already.
 */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { id } = reply.request
  const retryAfter = reply.getHeader('retry-after')
  reply.headers(problemHeaders(problem, id))
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  return reply.code(problem.status).send(problemText(problem, id))
}

/** The headers of an answer with a problem. */
export function problemHeaders(problem: Problem, requestId: string): Record<string, string> {
  return {
    [requestIdHeader]: requestId,
    'content-type': `${problemMediaType}; charset=utf-8`,
    ...(problem.status === 503 ? { 'retry-after': String(retryAfterS()) } : {}),
  }
}

/** When to come back, in seconds. */
export function retryAfterS(): number {
  return randomInt(1, retryAfterMaxS + 1)
}

/** The body of an answer: the problem, with the id of its request. */
export function problemText(problem: Problem, requestId: string): string {
  return JSON.stringify({ ...problem, requestId })
}
