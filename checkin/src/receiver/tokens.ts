/** JSON Web Tokens. Promise: only signatures by a public key that was given are believed, and only until they expire. */
import { createHash, createPublicKey } from 'node:crypto'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose'
import { scopes, type Scope } from '../access/api-keys.ts'
import type { Identity } from './identity.ts'

export interface TokenOptions {
  /** Where the keys are: a JWKS address, or the text of a file (PEM of a public key, JWK or JWKS). */
  readonly keys: { readonly url: URL } | { readonly text: string }
  /** What `iss` and `aud` must be; default: anything. */
  readonly issuer?: string | undefined
  readonly audience?: string | undefined
}

/** The keys cannot be read now, so nobody can be judged. Nothing was done for the request. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError'
}

// No symmetric ones: who can check such a token can make one.
const algorithms = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ')
/** A token that was checked is believed for so long without another look at its signature. */
const believedForMs = 60_000
const believedMax = 10_000
const longest = 8192
const subjectMax = 255

interface Believed {
  readonly identity: Identity
  readonly untilMs: number
}

export class Tokens {
  readonly #keys: JWTVerifyGetKey
  readonly #options: TokenOptions
  readonly #believed = new Map<string, Believed>()

  /** @throws {TypeError} when the text holds no public key. */
  constructor(options: TokenOptions) {
    this.#options = options
    this.#keys =
      'url' in options.keys
        ? createRemoteJWKSet(options.keys.url, { timeoutDuration: 3000 })
        : publicKeys(options.keys.text)
  }

  /**
   * @returns undefined when the token is not valid.
   * @throws {KeysUnavailableError}
   */
  identify(token: string): Identity | undefined | Promise<Identity | undefined> {
    if (token.length > longest) return undefined
    const hash = createHash('sha256').update(token).digest('base64')
    const believed = this.#believed.get(hash)
    if (believed !== undefined && Date.now() < believed.untilMs) return believed.identity
    return this.#verify(token, hash)
  }

  async #verify(token: string, hash: string): Promise<Identity | undefined> {
    const { issuer, audience } = this.#options
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: 5,
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      })
      return (payload.sub ?? '').length > subjectMax ? undefined : this.#believe(hash, payload)
    } catch (error) {
      if (isVerdict(error)) return undefined
      throw new KeysUnavailableError('The keys of the tokens cannot be fetched', { cause: error })
    }
  }

  #believe(hash: string, { sub = '', exp = 0, scope }: JWTPayload): Identity {
    const identity: Identity = { kind: 'token', subject: sub, scopes: scopesOf(scope) }
    const [oldest] = this.#believed.keys()
    if (this.#believed.size >= believedMax && oldest !== undefined) this.#believed.delete(oldest)
    const untilMs = Math.min(exp * 1000, Date.now() + believedForMs)
    this.#believed.set(hash, { identity, untilMs })
    return identity
  }
}

/** A token without `scope` (RFC 8693) may do both. */
function scopesOf(claim: unknown): ReadonlySet<Scope> {
  if (claim === undefined) return new Set(scopes)
  const claimed = typeof claim === 'string' ? claim.split(' ') : []
  return new Set(scopes.filter((scope) => claimed.includes(scope)))
}

function publicKeys(text: string): JWTVerifyGetKey {
  if (text.includes('PRIVATE KEY')) throw new TypeError('it is a private key')
  if (text.trimStart().startsWith('-----BEGIN')) {
    const key = createPublicKey(text)
    return () => Promise.resolve(key as never)
  }
  const json = JSON.parse(text) as Partial<JSONWebKeySet>
  const set = { keys: Array.isArray(json.keys) ? json.keys : [json as never] }
  if (set.keys.length === 0 || set.keys.some(({ kty, d }) => kty === 'oct' || d !== undefined)) {
    throw new TypeError('a key in it is not public')
  }
  return createLocalJWKSet(set)
}

/** True when the token is to blame, and not the way to the keys. */
function isVerdict(error: unknown): boolean {
  if (error instanceof TypeError) return isWrongKeyType(error)
  if (!(error instanceof errors.JOSEError)) return false
  const { code } = error
  return (
    /^ERR_(?:JWT|JWS)_/.test(code) ||
    code === errors.JOSEAlgNotAllowed.code ||
    code === errors.JOSENotSupported.code ||
    code === errors.JWKSNoMatchingKey.code ||
    code === errors.JWKSMultipleMatchingKeys.code
  )
}

// A token that names an algorithm of another kind of key than the one in the file.
function isWrongKeyType(error: TypeError): boolean {
  return !/fetch/i.test(error.message)
}
