/**
 * Bounds the time in which a body must arrive. Node can do that only for all requests alike, and a stream of check-ins may go
 * on for hours. Promise: whoever sends a body too slowly gets a 408 and is disconnected.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { endConnection } from './answer-order.ts'
import { brokenRequest, isBroken } from './broken-request.ts'
import { plainProblem, sendProblem } from './problem.ts'

interface Awaited {
  readonly reply: FastifyReply
  readonly sinceMs: number
}

/** To be called before routes are added. @param limitMs from the end of the headers to the end of the body. */
export function limitBodyTime(app: FastifyInstance, limitMs: number): void {
  const awaited = new Map<FastifyRequest, Awaited>()
  // What is refused before its body is read does not get here.
  app.addHook('preParsing', (request, reply, _body, done) => {
    if (isBroken(request.raw)) {
      done(brokenRequest())
      return
    }
    if (hasBody(request)) awaited.set(request, { reply, sinceMs: performance.now() })
    done()
  })
  // The body is parsed; a stream is handed on before its first byte.
  app.addHook('preValidation', (request, _reply, done) => {
    awaited.delete(request)
    done()
  })
  const look = setInterval(
    () => {
      const latest = performance.now() - limitMs
      for (const [request, { reply, sinceMs }] of awaited) {
        // Also what could not be parsed, or was given up by its client.
        const isOver = reply.sent || reply.raw.destroyed
        if (isOver || sinceMs <= latest) awaited.delete(request)
        if (!isOver && sinceMs <= latest) refuse(reply)
      }
    },
    Math.min(250, limitMs / 4),
  ).unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(look)
    done()
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0
}

function refuse(reply: FastifyReply): void {
  endConnection(reply.raw)
  sendProblem(reply, tooSlow)
}

const tooSlow = plainProblem(408, 'The request did not arrive in time')
