/** What is the same for every address: which methods it has, who may use them, and what becomes of the rest. */
import { METHODS } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { z } from 'zod'
import type { Scope } from '../../access/scopes.ts'
import { endConnection } from './answer-order.ts'
import type { JsonSchema, RouteDocumentation } from './documentation.ts'
import { checkParameters, documentationOfParameters, type Parameters } from './parameters.ts'
import { plainProblem, sendProblem, type Problem } from './problem.ts'

/** The scope that a client must have; `nothing`: anybody may. */
export type Requirement = Exclude<Scope, 'personal'> | 'nothing'

/** True for what is looked at: its answer may be kept by a client and asked for again. */
export function isReading(requires: Requirement | undefined): boolean {
  return requires === 'read' || requires === 'read-all'
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by `resource`; the guard of the receiver enforces it. */
    requires?: Requirement
    /** Not the schema of the route: Fastify would look it up for every answer. */
    documentation?: DocumentedRoute
    /** True: another address of the same resource stands in its place in the documentation. */
    isAlias?: boolean
  }
}

/** Bytes that the body of a single check-in may have. */
export const bodyMaxBytes = 16 * 1024

/** Teaches Fastify every method that Node parses, so that each can be answered with 405. */
export function knowAllMethods(app: FastifyInstance): void {
  for (const method of METHODS) {
    // Node itself handles CONNECT: it closes the connection.
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method)) app.addHttpMethod(method)
  }
}

/** A resource with one method. A route that takes longer bodies sets its own `bodyLimit` (bytes). */
export interface ResourceRoute<
  Query extends Parameters = Parameters,
  Path extends Parameters = Parameters,
> extends Omit<RouteOptions, 'url' | 'method' | 'schema' | 'config' | 'handler'> {
  readonly method: 'GET' | 'POST'
  readonly requires: Requirement
  /** Whoever gives others is refused before the handler is called. */
  readonly query?: Query
  /** The parameters in the path, likewise. */
  readonly path?: Path
  readonly schema: RouteDocumentation
  // A method: a route with parameters of its own is a route like any other.
  handler(request: ResourceRequest<Query, Path>, reply: FastifyReply): unknown
}

type AnyRequest = ResourceRequest<Parameters, Parameters>

/** A request whose parameters are right, and are what they stand for. */
type ResourceRequest<Query extends Parameters, Path extends Parameters> = FastifyRequest<{
  Querystring: z.output<Query>
  Params: z.output<Path>
}>

/** What a route says of itself, with its parameters. */
export interface DocumentedRoute extends RouteDocumentation {
  readonly params?: JsonSchema
  readonly querystring?: JsonSchema
}

/** Serves `GET` (and with it `HEAD`), `POST` or both at an address and its aliases; any other method is answered with 405. */
export function resource<Query extends Parameters, Path extends Parameters>(
  app: FastifyInstance,
  urls: readonly [string, ...string[]],
  ...routes: readonly [ResourceRoute<Query, Path>, ...ResourceRoute[]]
): void {
  const allowed = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : ['POST']))
  const problem = plainProblem(405, `Only ${allowed.join(' and ')} can be used here`)
  const others = app.supportedMethods.filter((method) => !allowed.includes(method))
  for (const [at, url] of urls.entries()) {
    for (const route of routes) addRoute(app, url, { route, isAlias: at > 0 })
    refuseAll(app, url, others, (request, reply) => {
      refuseEarly(request, reply.header('allow', allowed.join(', ')), problem)
    })
  }
}

function addRoute(
  app: FastifyInstance,
  url: string,
  { route, isAlias }: { readonly route: ResourceRoute; readonly isAlias: boolean },
): void {
  const { requires, schema, query, path, ...options } = route
  const documentation: DocumentedRoute = {
    ...schema,
    ...(query === undefined ? {} : { querystring: documentationOfParameters(query) }),
    ...(path === undefined ? {} : { params: documentationOfParameters(path) }),
  }
  app.route({
    ...options,
    url,
    schema: {
      ...(query === undefined ? {} : { querystring: query }),
      ...(path === undefined ? {} : { params: path }),
    },
    validatorCompiler: checkParameters,
    config: { requires, documentation, isAlias },
    handler: (request, reply) => route.handler(request as AnyRequest, reply),
  })
}

/** Answers 404 at every address that is no resource. */
export function refuseOtherAddresses(app: FastifyInstance): void {
  const problem = plainProblem(404, 'There is nothing at this address')
  // The answer to preflights stands there already.
  const taken = app.hasPlugin('@fastify/cors') ? 'OPTIONS' : undefined
  const methods = app.supportedMethods.filter((method) => method !== taken)
  refuseAll(app, '*', methods, (request, reply) => refuseEarly(request, reply, problem))
  // For what no route can match: addresses that cannot be decoded.
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, problem))
}

/** Answers before the body is read. */
export function refuseEarly(request: FastifyRequest, reply: FastifyReply, problem: Problem): void {
  const { headers } = request
  const isLong =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > bodyMaxBytes
  // The connection is kept only when the rest of the body is short enough to be read and dropped.
  if (isLong) endConnection(reply.raw)
  sendProblem(reply, problem)
}

function refuseAll(
  app: FastifyInstance,
  url: string,
  method: string[],
  onRequest: (request: FastifyRequest, reply: FastifyReply) => void,
): void {
  // The answer goes out before the body is parsed, so the handler is never reached.
  app.route({
    url,
    method,
    onRequest: (request, reply) => onRequest(request, reply),
    handler: noop,
  })
}

const noop = (): void => undefined
