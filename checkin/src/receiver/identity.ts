/** Who sends a request, and what that one may do. */
import type { FastifyRequest } from 'fastify'
import type { Scope } from '../access/api-keys.ts'
import { plainProblem, type Problem } from './problem.ts'

/** Who has shown a valid API key or token. */
export type Identity =
  | { readonly kind: 'key'; readonly id: string; readonly scopes: ReadonlySet<Scope> }
  /** `subject` is the user for whom the token speaks: it may check in nobody else. */
  | { readonly kind: 'token'; readonly subject: string; readonly scopes: ReadonlySet<Scope> }

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

/** The problem when this client may not send check-ins of this user; undefined when it may. */
export function refusalFor(
  { identity }: Pick<FastifyRequest, 'identity'>,
  userId: number,
): Problem | undefined {
  if (identity?.kind !== 'token' || identity.subject === String(userId)) return undefined
  return anotherUser
}
