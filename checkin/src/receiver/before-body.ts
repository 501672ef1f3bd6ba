/** What is refused before the body of a check-in is read. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuseUnderPressure } from './overload.ts'
import type { ReceiverParts } from './parts.ts'
import { plainProblem } from './problem.ts'
import { refuseEarly } from './resources.ts'

/** Refuses compressed bodies, and everything while there is too much pressure. */
export function refuseBeforeBody({ pressure }: Pick<ReceiverParts, 'pressure'>) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      refuseEarly(request, reply, encodedBody)
    } else if (!refuseUnderPressure(pressure, request, reply)) {
      done()
    }
  }
}

const encodedBody = plainProblem(415, 'The body must come as it is, without Content-Encoding')
