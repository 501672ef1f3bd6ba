/** What a token says of itself. Promise: what is not made for this service's API is no access token, whoever signed it. */
import type { JWTHeaderParameters, JWTPayload } from 'jose'
import { rightsOfToken, type Scope } from '../../access/scopes.ts'
import type { Refusal } from './identity.ts'

export interface ClaimRules {
  /** What `typ` in the header must be; default: none, `JWT` or `at+jwt`. */
  readonly type?: string | undefined
  /** How long (seconds) a token may be good for, from `iat` to `exp`. */
  readonly lifetimeMaxS: number
  /** For tokens that name no scope of ours; default: none. */
  readonly defaultScopes: readonly Scope[]
}

/** Clocks may differ by so much (seconds). */
export const skewS = 5
const subjectMax = 255
const usualTypes: readonly unknown[] = [undefined, 'jwt', 'at+jwt']

/** Looks at what the signature does not say; undefined: nothing is wrong. */
export function wrongClaim(
  header: Pick<JWTHeaderParameters, 'typ'>,
  payload: JWTPayload,
  { type, lifetimeMaxS }: ClaimRules,
): Refusal | undefined {
  const { sub = '', exp = 0, iat } = payload
  if (sub === '' || sub.length > subjectMax) return 'wrong-claim'
  const given = bareType(header.typ)
  if (type === undefined ? !usualTypes.includes(given) : given !== bareType(type)) {
    return 'wrong-type'
  }
  if (isForSomethingElse(payload)) return 'wrong-type'
  const nowS = Date.now() / 1000
  if (iat !== undefined && !(iat <= nowS + skewS)) return 'not-yet-valid'
  return exp - (iat ?? nowS) > lifetimeMaxS ? 'too-long-lived' : undefined
}

function bareType(typ: unknown): unknown {
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ
}

/** ID tokens (OpenID Connect: for the client, not for an API) and refresh tokens, as the issuers mark them. */
function isForSomethingElse(payload: JWTPayload): boolean {
  const { nonce, at_hash, c_hash, token_use: use, typ } = payload
  if (nonce !== undefined || at_hash !== undefined || c_hash !== undefined) return true
  // Cognito; Keycloak.
  if (use !== undefined && use !== 'access') return true
  return typ !== undefined && !(typeof typ === 'string' && /^(?:bearer|at\+jwt)$/i.test(typ))
}

/** The rights of a token, by `scope` (RFC 8693: separated by spaces) and `scp` (Entra ID: likewise; Okta: a list). */
export function rightsOf(payload: JWTPayload, { defaultScopes }: ClaimRules): ReadonlySet<Scope> {
  const named = [...namesIn(payload.scope), ...namesIn(payload.scp)]
  const rights = rightsOfToken(named)
  return rights.size > 0 ? rights : rightsOfToken(defaultScopes)
}

function namesIn(claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ')
  return Array.isArray(claim) ? claim.filter((name) => typeof name === 'string') : []
}
