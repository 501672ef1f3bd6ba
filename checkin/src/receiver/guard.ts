/** Who may send what. Promise: a route that requires something is not reached by anybody who has not shown it. */
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Identity } from './identity.ts'
import type { KeyRing } from './key-ring.ts'
import { plainProblem, type Problem } from './problem.ts'
import { clientOf, type RateLimit } from './rate-limit.ts'
import { refuseEarly, type Requirement } from './resources.ts'
import { KeysUnavailableError, type Tokens } from './tokens.ts'

export interface GuardOptions {
  /** API keys are accepted. Without these and without tokens, the receiver is open. */
  readonly keys?: Pick<KeyRing, 'identify'> | undefined
  readonly tokens?: Pick<Tokens, 'identify'> | undefined
  /** For each key, each user of a token, or each address; default: none. */
  readonly rateLimit?: RateLimit | undefined
}

const missing = plainProblem(401, 'Send an API key or a token: Authorization: Bearer ...')
const invalid = plainProblem(401, 'The API key or token is not valid, or not any more')

/** Guards all routes that are added afterwards, by what they require. */
export function guardRoutes(app: FastifyInstance, options: GuardOptions): void {
  const { keys, tokens, rateLimit } = options
  if (keys === undefined && tokens === undefined && rateLimit === undefined) return
  const hooks = {
    ingest: guardOf('ingest', options),
    read: guardOf('read', options),
  }
  app.addHook('onRoute', (route) => {
    const requires: Requirement = route.config?.requires ?? 'nothing'
    if (requires === 'nothing') return
    const own = route.onRequest === undefined ? [] : [route.onRequest].flat()
    // The HEAD of a GET comes with the hooks of its GET.
    if (!own.includes(hooks[requires])) route.onRequest = [hooks[requires], ...own]
  })
}

function guardOf(
  requires: Exclude<Requirement, 'nothing'>,
  { keys, tokens, rateLimit }: GuardOptions,
): onRequestHookHandler {
  const isOpen = keys === undefined && tokens === undefined
  const judge = (
    request: FastifyRequest,
    reply: FastifyReply,
    identity: Identity | undefined,
  ): boolean => {
    const problem =
      rateLimit?.take(clientKey(request, identity), reply) ??
      (isOpen ? undefined : refusal(request, reply, { identity, requires }))
    if (problem !== undefined) {
      refuseEarly(request, reply, problem)
      return false
    }
    request.identity = identity ?? null
    return true
  }
  return (request, reply, done) => {
    const shown = isOpen ? undefined : bearerOf(request)
    const found = shown === undefined ? undefined : identify(shown, { keys, tokens })
    if (!(found instanceof Promise)) {
      if (judge(request, reply, found)) done()
      return
    }
    found
      .then((identity) => {
        if (judge(request, reply, identity)) done()
      })
      .catch((error: unknown) => {
        done(new KeysUnavailableError('Keys cannot be read', { cause: error }))
      })
  }
}

function identify(
  shown: string,
  { keys, tokens }: GuardOptions,
): Identity | undefined | Promise<Identity | undefined> {
  return shown.startsWith('mr_') ? keys?.identify(shown) : tokens?.identify(shown)
}

function refusal(
  request: FastifyRequest,
  reply: FastifyReply,
  {
    identity,
    requires,
  }: { readonly identity: Identity | undefined; readonly requires: 'ingest' | 'read' },
): Problem | undefined {
  if (identity === undefined) {
    const isMissing = bearerOf(request) === undefined
    const challenge = 'Bearer realm="checkins"'
    reply.header('www-authenticate', isMissing ? challenge : `${challenge}, error="invalid_token"`)
    return isMissing ? missing : invalid
  }
  if (identity.scopes.has(requires)) return undefined
  reply.header(
    'www-authenticate',
    `Bearer realm="checkins", error="insufficient_scope", scope="${requires}"`,
  )
  return plainProblem(403, `The API key or token lacks the scope "${requires}"`)
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
}

function clientKey(request: FastifyRequest, identity: Identity | undefined): string {
  if (identity === undefined) return clientOf(request.ip)
  return identity.kind === 'key' ? `key:${identity.id}` : `user:${identity.subject}`
}
