/** API keys as Redis keeps them. Promise: of a key only its SHA-256 is stored; who reads Redis cannot send with it. */
import { createHash, randomBytes } from 'node:crypto'
import type { Millrace } from 'millrace'
import { keyScopes, type KeyScope } from './scopes.ts'

/** A key without its secret. */
export interface ApiKey {
  /** Public: the second part of the key, shown in lists and logs. */
  readonly id: string
  /** Whose it is, for people. */
  readonly name: string
  readonly scopes: readonly KeyScope[]
  /** ISO 8601. */
  readonly createdAt: string
  /** Of the whole key, in hex. */
  readonly sha256: string
}

// The secret has 256 bits, so a plain hash of it cannot be guessed back.
const keyPattern = /^mr_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/

/** The id in the text of a key; undefined when it is no key of ours. */
export function keyIdOf(text: string): string | undefined {
  return keyPattern.exec(text)?.[1]
}

export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The stored keys: a hash, id to JSON. */
export class ApiKeys {
  readonly #millrace: Pick<Millrace, 'send'>
  readonly #key: string

  constructor(millrace: Pick<Millrace, 'send'>, key: string) {
    this.#millrace = millrace
    this.#key = key
  }

  /** @returns the key with its secret, which is stored nowhere. @throws {MillraceError} */
  async create(owner: Pick<ApiKey, 'name' | 'scopes'>): Promise<{ text: string; apiKey: ApiKey }> {
    const id = randomBytes(6).toString('hex')
    const text = `mr_${id}_${randomBytes(32).toString('base64url')}`
    const { name, scopes: allowed } = owner
    const stored = {
      name,
      scopes: allowed,
      createdAt: new Date().toISOString(),
      sha256: hashOf(text).toString('hex'),
    }
    const isNew = await this.#millrace.send('HSETNX', this.#key, id, JSON.stringify(stored))
    return isNew === 1 ? { text, apiKey: { id, ...stored } } : await this.create(owner)
  }

  /** All keys, the oldest first. A field that is no key of ours is left out. @throws {MillraceError} */
  async list(): Promise<ApiKey[]> {
    const flat = (await this.#millrace.send('HGETALL', this.#key)) as string[]
    const keys: ApiKey[] = []
    for (let at = 0; at + 1 < flat.length; at += 2) {
      const key = read(flat[at] ?? '', flat[at + 1] ?? '')
      if (key !== undefined) keys.push(key)
    }
    return keys.sort((a, b) => a.createdAt.localeCompare(b.createdAt))
  }

  /** @returns false when there is no such key. @throws {MillraceError} */
  async revoke(id: string): Promise<boolean> {
    return (await this.#millrace.send('HDEL', this.#key, id)) === 1
  }
}

function read(id: string, json: string): ApiKey | undefined {
  if (!/^[0-9a-f]{12}$/.test(id)) return undefined
  try {
    const { name, scopes: allowed, createdAt, sha256 } = JSON.parse(json) as Partial<ApiKey>
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
    if (!Array.isArray(allowed)) return undefined
    const known = keyScopes.filter((scope) => (allowed as unknown[]).includes(scope))
    return { id, name: String(name), scopes: known, createdAt: String(createdAt), sha256 }
  } catch {
    return undefined
  }
}
