/** Who may send what. Promise: a route that requires something is not reached by anybody who has not shown it. */
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Identity, Judgement } from './identity.ts'
import type { KeyRing } from './key-ring.ts'
import { plainProblem, type Problem } from '../http/problem.ts'
import { exceeded, payerOf, tellRate, type Allowance, type Buckets } from './rate-limit.ts'
import { refuseEarly, type Requirement } from '../http/resources.ts'
import { KeysUnavailableError } from './remote-keys.ts'
import type { Incident, SecurityLog } from './security-log.ts'
import type { Tokens } from './tokens.ts'

export interface GuardOptions {
  /** API keys are accepted. Without these and without tokens, the receiver is open. */
  readonly keys?: Pick<KeyRing, 'judge'> | undefined
  readonly tokens?: Pick<Tokens, 'judge'> | undefined
  /** For each key, each user of a token, or each address; default: none. */
  readonly buckets?: Buckets | undefined
  readonly security: Pick<SecurityLog, 'refused'>
}

const missing = plainProblem(401, 'Send an API key or a token: Authorization: Bearer ...')
const invalid = plainProblem(401, 'The API key or token is not valid, or not any more')

type Asked = Exclude<Requirement, 'nothing'>

/** Guards all routes that are added afterwards, by what they require. */
export function guardRoutes(app: FastifyInstance, options: GuardOptions): void {
  const { keys, tokens, buckets } = options
  if (keys === undefined && tokens === undefined && buckets === undefined) return
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

function guardOf(requires: Asked, options: GuardOptions): onRequestHookHandler {
  const { keys, tokens, buckets, security } = options
  const isOpen = keys === undefined && tokens === undefined
  const turnDown = ({ request, reply }: Asking, { problem, incident }: TurnedDown): false => {
    security.refused(request, incident)
    refuseEarly(request, reply, problem)
    return false
  }
  const pay = (asking: Asking): boolean | Promise<boolean> => {
    if (buckets === undefined) return true
    const { request, reply, judgement } = asking
    const paid = (allowance: Allowance): boolean => {
      tellRate(reply, buckets, allowance)
      if (allowance.isTaken) return true
      const incident = { status: 429, reason: 'rate', who: whoOf(judgement) } as const
      return turnDown(asking, { problem: exceeded, incident })
    }
    const allowance = buckets.take(payerOf(request, identityOf(judgement)), 1)
    return allowance instanceof Promise ? allowance.then(paid) : paid(allowance)
  }
  const mayPass = (asking: Asking): boolean => {
    const { request, reply, judgement } = asking
    const found = isOpen ? undefined : lacking(requires, judgement, reply)
    if (found !== undefined) return turnDown(asking, found)
    request.identity = identityOf(judgement)
    return true
  }
  return (request, reply, done) => {
    const decide = (judgement: Judgement): Promise<void> | undefined => {
      const asking = { request, reply, judgement }
      const goOn = (isPaid: boolean): void => {
        if (isPaid && mayPass(asking)) done()
      }
      const paid = pay(asking)
      if (paid instanceof Promise) return paid.then(goOn)
      goOn(paid)
      return undefined
    }
    const judgement = isOpen ? noCredentials : judge(request, options)
    const decided = judgement instanceof Promise ? judgement.then(decide) : decide(judgement)
    decided?.catch((error: unknown) => {
      done(error instanceof KeysUnavailableError ? error : keysUnread(error))
    })
  }
}

function identityOf(judgement: Judgement): Identity | null {
  return judgement.kind === 'accepted' ? judgement.identity : null
}

/** A request whose credentials were judged. */
interface Asking {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly judgement: Judgement
}

/** What its client is told, and what the log is. */
interface TurnedDown {
  readonly problem: Problem
  readonly incident: Incident
}

function keysUnread(error: unknown): KeysUnavailableError {
  return new KeysUnavailableError('The API keys cannot be read', { cause: error })
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

/** What the credentials lack for what is asked; undefined: nothing. */
function lacking(
  requires: Asked,
  judgement: Judgement,
  reply: FastifyReply,
): TurnedDown | undefined {
  const challenge = 'Bearer realm="checkins"'
  const who = whoOf(judgement)
  if (judgement.kind === 'refused') {
    const { reason } = judgement
    const isMissing = reason === 'no-credentials'
    reply.header('www-authenticate', isMissing ? challenge : `${challenge}, error="invalid_token"`)
    return { problem: isMissing ? missing : invalid, incident: { status: 401, reason, who } }
  }
  const { kind, scopes } = judgement.identity
  if (scopes.has(requires)) return undefined
  // Keys know no scope "read-all": those that may read may read all.
  const scope = kind === 'key' && requires === 'read-all' ? 'read' : requires
  reply.header('www-authenticate', `${challenge}, error="insufficient_scope", scope="${scope}"`)
  return {
    problem: plainProblem(403, `The API key or token lacks the scope "${scope}"`),
    incident: { status: 403, reason: 'missing-scope', who },
  }
}

function whoOf(judgement: Judgement): string | undefined {
  if (judgement.kind === 'refused') return judgement.who
  const { identity } = judgement
  return identity.kind === 'key' ? identity.id : identity.subject
}
