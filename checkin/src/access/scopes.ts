/** What keys and tokens may allow. */

/**
 * - `ingest`: send check-ins; a token those of its own user.
 * - `read`: look at locations and leaderboards; a key also at all users and check-ins, a token at its own user and its own check-ins.
 * - `read-all`: a token may look at all users and check-ins, too. Keys have it by `read`.
 * - `personal`: see the e-mail of the users that it may look at.
 * - `metrics`: read `/metrics`, and nothing else.
 */
export type Scope = 'ingest' | 'read' | 'read-all' | 'personal' | 'metrics'

/** What an API key may be given. */
export const keyScopes = ['ingest', 'read', 'personal', 'metrics'] as const satisfies Scope[]

/** What a token may be given. */
export const tokenScopes = [...keyScopes, 'read-all'] as const satisfies Scope[]

export type KeyScope = (typeof keyScopes)[number]

/** The rights of an API key. A key has no user of its own: who may read reads all. */
export function rightsOfKey(granted: readonly Scope[]): ReadonlySet<Scope> {
  return new Set(granted.includes('read') ? [...granted, 'read-all'] : granted)
}

/** The rights of a token: scopes that are not ours are none. */
export function rightsOfToken(granted: readonly string[]): ReadonlySet<Scope> {
  const known = tokenScopes.filter((scope) => granted.includes(scope))
  return new Set<Scope>(known.includes('read-all') ? [...known, 'read'] : known)
}
