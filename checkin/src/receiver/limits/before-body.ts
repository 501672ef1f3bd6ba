/** What is refused before the body of a check-in is read. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuseUnderPressure, type PressureSource } from './overload.ts'
import { plainProblem } from '../http/problem.ts'
import { refuseEarly } from '../http/resources.ts'

/** Refuses compressed bodies, those in another encoding than UTF-8, and everything while there is too much pressure. */
export function refuseBeforeBody({ pressure }: { readonly pressure: PressureSource }) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { 'content-encoding': encoding = '', 'content-type': type = '' } = request.headers
    if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
      refuseEarly(request, reply, encodedBody)
    } else if (!isUtf8(type)) {
      refuseEarly(request, reply, otherCharset)
    } else if (!refuseUnderPressure(pressure, request, reply)) {
      done()
    }
  }
}

/** @param type a Content-Type; without a charset it is UTF-8, as JSON always is. */
function isUtf8(type: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1]
  return charset === undefined || /^utf-?8$/i.test(charset)
}

const otherCharset = plainProblem(415, 'The body must be in UTF-8')
const encodedBody = plainProblem(415, 'The body must come as it is, without Content-Encoding')
