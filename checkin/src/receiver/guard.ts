/** Who may send what. Promise: a route that requires something is not reached by anybody who has not shown it. */
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Identity, Judgement } from './identity.ts'
import type { KeyRing } from './key-ring.ts'
import { plainProblem, type Problem } from './problem.ts'
import { clientOf, type RateLimit } from './rate-limit.ts'
import { refuseEarly, type Requirement } from './resources.ts'
import { KeysUnavailableError, type Tokens } from './tokens.ts'

export interface GuardOptions {
  /** API keys are accepted. Without these and without tokens, the receiver is open. */
  readonly keys?: Pick<KeyRing, 'judge'> | undefined
  readonly tokens?: Pick<Tokens, 'judge'> | undefined
  /** For each key, each user of a token, or each address; default: none. */
  readonly rateLimit?: RateLimit | undefined
}

const missing = plainProblem(401, 'Send an API key or a token: Authorization: Bearer ...')
const invalid = plainProblem(401, 'The API key or token is not valid, or not any more')

type Asked = Exclude<Requirement, 'nothing'>

/** Guards all routes that are added afterwards, by what they require. */
export function guardRoutes(app: FastifyInstance, options: GuardOptions): void {
  const { keys, tokens, rateLimit } = options
  if (keys === undefined && tokens === undefined && rateLimit === undefined) return
  const hooks: Record<Asked, onRequestHookHandler> = {
    ingest: guardOf('ingest', options),
    read: guardOf('read', options),
    'read-all': guardOf('read-all', options),
    metrics: guardOf('metrics', options),
  }
  app.addHook('onRoute', (route) => {
    const requires: Requirement = route.config?.requires ?? 'nothing'
    if (requires === 'nothing') return
    const own = route.onRequest === undefined ? [] : [route.onRequest].flat()
    // The HEAD of a GET comes with the hooks of its GET.
    if (!own.includes(hooks[requires])) route.onRequest = [hooks[requires], ...own]
  })
}

function guardOf(requires: Asked, { keys, tokens, rateLimit }: GuardOptions): onRequestHookHandler {
  const isOpen = keys === undefined && tokens === undefined
  const pass = (request: FastifyRequest, reply: FastifyReply, judgement: Judgement): boolean => {
    const identity = judgement.kind === 'accepted' ? judgement.identity : undefined
    const problem =
      rateLimit?.take(clientKey(request, identity), reply) ??
      (isOpen ? undefined : refusal(reply, judgement, requires))
    if (problem !== undefined) {
      refuseEarly(request, reply, problem)
      return false
    }
    request.identity = identity ?? null
    return true
  }
  return (request, reply, done) => {
    const judgement = isOpen ? noCredentials : judge(request, { keys, tokens })
    if (!(judgement instanceof Promise)) {
      if (pass(request, reply, judgement)) done()
      return
    }
    judgement
      .then((settled) => {
        if (pass(request, reply, settled)) done()
      })
      .catch((error: unknown) => {
        done(new KeysUnavailableError('Keys cannot be read', { cause: error }))
      })
  }
}

const noCredentials: Judgement = { kind: 'refused', reason: 'no-credentials' }
const notTaken: Judgement = { kind: 'refused', reason: 'malformed' }

function judge(
  { headers }: FastifyRequest,
  { keys, tokens }: GuardOptions,
): Judgement | Promise<Judgement> {
  const shown = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (shown === undefined) return noCredentials
  return (shown.startsWith('mr_') ? keys?.judge(shown) : tokens?.judge(shown)) ?? notTaken
}

function refusal(reply: FastifyReply, judgement: Judgement, requires: Asked): Problem | undefined {
  const challenge = 'Bearer realm="checkins"'
  if (judgement.kind === 'refused') {
    const isMissing = judgement.reason === 'no-credentials'
    reply.header('www-authenticate', isMissing ? challenge : `${challenge}, error="invalid_token"`)
    return isMissing ? missing : invalid
  }
  const { kind, scopes } = judgement.identity
  if (scopes.has(requires)) return undefined
  // Keys know no scope "read-all": those that may read may read all.
  const lacking = kind === 'key' && requires === 'read-all' ? 'read' : requires
  reply.header('www-authenticate', `${challenge}, error="insufficient_scope", scope="${lacking}"`)
  return plainProblem(403, `The API key or token lacks the scope "${lacking}"`)
}

function clientKey(request: FastifyRequest, identity: Identity | undefined): string {
  if (identity === undefined) return clientOf(request.ip)
  return identity.kind === 'key' ? `key:${identity.id}` : `user:${identity.subject}`
}
