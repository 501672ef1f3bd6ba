/** The public keys of a file, to check tokens with. */
import { createPublicKey } from 'node:crypto'
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'

/** @param text PEM of a public key, JWK or JWKS. @throws {TypeError} when there is no public key in it. */
export function publicKeys(text: string): JWTVerifyGetKey {
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
