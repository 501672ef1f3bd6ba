/** Who sends a request, and what that one may do. */
import type { FastifyRequest } from 'fastify'
import type { Scope } from '../../access/scopes.ts'
import { plainProblem, type Problem } from '../http/problem.ts'

/** Who has shown a valid API key or token. */
export type Identity =
  | { readonly kind: 'key'; readonly id: string; readonly scopes: ReadonlySet<Scope> }
  /** `subject` is the user for whom the token speaks. */
  | { readonly kind: 'token'; readonly subject: string; readonly scopes: ReadonlySet<Scope> }

/** Why a key or token is not accepted; for the log and the metrics, never for the client. */
export type Refusal =
  | 'no-credentials'
  | 'malformed'
  | 'unknown-key'
  | 'wrong-secret'
  | 'expired'
  | 'not-yet-valid'
  | 'wrong-signature'
  | 'unknown-signing-key'
  | 'wrong-issuer'
  | 'wrong-audience'
  | 'wrong-type'
  | 'too-long-lived'
  | 'wrong-claim'

/** What became of the credentials that a request has shown. */
export type Judgement =
  | { readonly kind: 'accepted'; readonly identity: Identity }
  /** `who`: the id of the key, or the subject where the signature was right. */
  | { readonly kind: 'refused'; readonly reason: Refusal; readonly who?: string | undefined }

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the handler of a route that requires something; null while the receiver is open to all. */
    identity: Identity | null
  }
}

const anotherUser: Problem = {
  ...plainProblem(403, 'The token may send check-ins of its own user only: "sub" must be userId'),
  type: '/problems/another-user',
}

/** What a token without the scope `read-all` is told of others. */
export const notItsUser: Problem = {
  ...plainProblem(
    403,
    'The token may look at its own user only, unless it has the scope "read-all"',
  ),
  type: '/problems/another-user',
}

/** The problem when this client may not send check-ins of this user; undefined when it may. */
export function refusalFor(
  { identity }: Pick<FastifyRequest, 'identity'>,
  userId: number,
): Problem | undefined {
  if (identity?.kind !== 'token' || identity.subject === String(userId)) return undefined
  return anotherUser
}

/** The one user whom this client may look at; undefined: it may look at any. */
export function onlyUserOf({ identity }: Pick<FastifyRequest, 'identity'>): string | undefined {
  if (identity?.kind !== 'token' || identity.scopes.has('read-all')) return undefined
  return identity.subject
}
