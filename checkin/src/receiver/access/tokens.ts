/** JSON Web Tokens. Promise: only signatures by a public key that was given are believed, and only until they expire. */
import { createHash } from 'node:crypto'
import {
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose'
import type { Identity, Judgement, Refusal } from './identity.ts'
import { KeysUnavailableError, RemoteKeys } from './remote-keys.ts'
import { publicKeys } from './signing-keys.ts'
import { rightsOf, skewS, wrongClaim, type ClaimRules } from './token-claims.ts'

export interface TokenOptions extends Partial<ClaimRules> {
  /** Where the keys are: a JWKS address, or the text of a file (PEM of a public key, JWK or JWKS). */
  readonly keys: { readonly url: URL } | { readonly text: string }
  /** What `iss` and `aud` must be; default: anything. */
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
  /** How long (ms) the keys of an address are good for while it cannot be asked; default: 24 hours. */
  readonly staleForMs?: number
  /** The clock by which keys of an address grow old, in milliseconds; it only goes on. */
  readonly now?: () => number
}

// No symmetric ones: who can check such a token can make one.
const algorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')
/** A token that was checked is believed for so long without another look at its signature. */
const believedForMs = 60_000
const believedMax = 10_000
const longest = 8192
const dayS = 24 * 3600

interface Believed {
  readonly judgement: Judgement
  readonly untilMs: number
}

export class Tokens {
  /** Where they come from an address. */
  readonly remoteKeys: RemoteKeys | undefined
  readonly #keys: JWTVerifyGetKey
  readonly #checks: JWTVerifyOptions
  readonly #rules: ClaimRules
  readonly #believed = new Map<string, Believed>()

  /** @throws {TypeError} when the text holds no public key. */
  constructor({ keys, issuer, audience, staleForMs = dayS * 1000, now, ...rules }: TokenOptions) {
    this.#rules = { lifetimeMaxS: dayS, defaultScopes: [], ...rules }
    this.#checks = {
      ...{ algorithms, requiredClaims: ['exp', 'sub'], clockTolerance: skewS },
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    }
    this.remoteKeys = 'url' in keys ? new RemoteKeys({ url: keys.url, staleForMs, now }) : undefined
    this.#keys = this.remoteKeys?.find ?? publicKeys('text' in keys ? keys.text : '')
  }

  /** @throws {KeysUnavailableError} */
  judge(token: string): Judgement | Promise<Judgement> {
    if (token.length > longest) return { kind: 'refused', reason: 'malformed' }
    const hash = createHash('sha256').update(token).digest('base64')
    const believed = this.#believed.get(hash)
    if (believed !== undefined && Date.now() < believed.untilMs) return believed.judgement
    return this.#verify(token, hash)
  }

  async #verify(token: string, hash: string): Promise<Judgement> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.#keys, this.#checks)
      const reason = wrongClaim(protectedHeader, payload, this.#rules)
      return reason === undefined ? this.#believe(hash, payload) : refused(reason, payload)
    } catch (error) {
      if (error instanceof KeysUnavailableError) throw error
      const reason = verdictOf(error)
      if (reason !== undefined) {
        return refused(reason, (error as { payload?: JWTPayload }).payload)
      }
      throw error
    }
  }

  #believe(hash: string, payload: JWTPayload): Judgement {
    const { sub: subject = '', exp = 0 } = payload
    const identity: Identity = { kind: 'token', subject, scopes: rightsOf(payload, this.#rules) }
    const judgement: Judgement = { kind: 'accepted', identity }
    const [oldest] = this.#believed.keys()
    if (this.#believed.size >= believedMax && oldest !== undefined) this.#believed.delete(oldest)
    const untilMs = Math.min(exp * 1000, Date.now() + believedForMs)
    this.#believed.set(hash, { judgement, untilMs })
    return judgement
  }
}

// Only where the signature was right does jose tell the payload.
function refused(reason: Refusal, payload: JWTPayload | undefined): Judgement {
  return { kind: 'refused', reason, who: payload?.sub }
}

/** What is wrong with the token; undefined: something else is. */
function verdictOf(error: unknown): Refusal | undefined {
  // A token that names an algorithm of another kind of key than the one in the file.
  if (error instanceof TypeError) return 'malformed'
  if (error instanceof errors.JWTClaimValidationFailed)
    return wrongClaims[error.claim] ?? 'wrong-claim'
  if (!(error instanceof errors.JOSEError)) return undefined
  return verdicts[error.code] ?? (/^ERR_(?:JWT|JWS)_/.test(error.code) ? 'malformed' : undefined)
}

const wrongClaims: Readonly<Record<string, Refusal>> = {
  iss: 'wrong-issuer',
  aud: 'wrong-audience',
  nbf: 'not-yet-valid',
}

const verdicts: Readonly<Record<string, Refusal>> = {
  [errors.JWTExpired.code]: 'expired',
  [errors.JWSSignatureVerificationFailed.code]: 'wrong-signature',
  [errors.JWKSNoMatchingKey.code]: 'unknown-signing-key',
  [errors.JWKSMultipleMatchingKeys.code]: 'unknown-signing-key',
  [errors.JOSEAlgNotAllowed.code]: 'malformed',
  [errors.JOSENotSupported.code]: 'malformed',
}
