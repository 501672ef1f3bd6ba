/** What is wrong with a request whatever its address is. Node would answer some of it by itself, without a document and an id. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { endConnection } from './answer-order.ts'
import { wrongHost, type HostCheck } from './origins.ts'
import { plainProblem, type Problem } from './problem.ts'
import { requestIdHeader } from './request-id.ts'
import { refuseEarly } from './resources.ts'
import { securityHeaders } from './security-headers.ts'

const noHost = plainProblem(400, 'The request must have one header Host')
const unknownCoding = plainProblem(501, 'The only Transfer-Encoding that is understood is chunked')
const unmetExpectation = plainProblem(417, 'The only Expect that can be met is 100-continue')

/**
 * Gives every answer its common headers, and refuses requests whose head is not as it should be, before anything else looks at them.
 * @param onWrongHost is told of requests that are addressed to somebody else.
 */
export function checkHeads(
  app: FastifyInstance,
  hosts: () => HostCheck,
  onWrongHost: (request: FastifyRequest) => void,
): void {
  // One hook for what concerns every request: each more costs every request.
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(requestIdHeader, request.id)
    reply.headers(securityHeaders)
    const problem = wrongHead(request.raw, hosts())
    if (problem === undefined) {
      done()
      return
    }
    if (problem === wrongHost) onWrongHost(request)
    // Who says what cannot be understood may mean by the next request something else than we read.
    else endConnection(reply.raw)
    refuseEarly(request, reply, problem)
  })
}

/** @returns why a request is refused before anything else is looked at; undefined: it is not. */
function wrongHead(
  { headers, httpVersion }: IncomingMessage,
  hosts: HostCheck,
): Problem | undefined {
  const { host, expect, 'transfer-encoding': coding } = headers
  if (host === undefined) {
    // HTTP/1.0, which no browser speaks, may come without one.
    if (httpVersion !== '1.0') return noHost
  } else if (!hosts.accepts(host)) {
    // Two of them come as one.
    return host.includes(',') ? noHost : wrongHost
  }
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return unknownCoding
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return unmetExpectation
  return undefined
}

/** Lets requests with `Expect` be served as others are; their 100 goes out when somebody wants to read their body. */
export function serveExpectations(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const read = request._read.bind(request)
    request._read = (size) => {
      request._read = read
      // After a refusal the body is read too, to be dropped.
      if (!response.headersSent) response.writeContinue()
      read(size)
    }
    server.emit('request', request, response)
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response)
  })
}
