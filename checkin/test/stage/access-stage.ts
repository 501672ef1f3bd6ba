/** What the tests of keys and tokens share. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { connect } from 'millrace'
import { ApiKeys } from '../../src/access/api-keys.ts'
import type { Answer, Stage } from './receiver-stage.ts'

export const json = { 'content-type': 'application/json' }
export const bearer = (text: string) => ({ ...json, authorization: `Bearer ${text}` })

export async function keysOf(t: TestContext, { server }: Stage): Promise<ApiKeys> {
  const millrace = await connect({ url: server.url })
  t.after(() => millrace.close())
  return new ApiKeys(millrace, 'ncc:apikeys')
}

export function assertRefused(answer: Answer, status: number, challenge: RegExp): void {
  assert.equal(answer.status, status)
  assert.equal(answer.json?.status, status)
  assert.match(answer.headers.get('www-authenticate') ?? '', challenge)
}

export interface Issuer {
  readonly pem: string
  readonly jwks: object
  /** @param expires default: in an hour; null: never. */
  readonly token: (
    payload: JWTPayload,
    header?: object,
    expires?: string | number | null,
  ) => Promise<string>
}

export async function issuer(kid = 'one'): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  return {
    pem: await exportSPKI(publicKey),
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256' }] },
    token: (payload, header = {}, expires = '1h') => {
      const token = new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid, ...header })
      return (expires === null ? token : token.setExpirationTime(expires)).sign(privateKey)
    },
  }
}
