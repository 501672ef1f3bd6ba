/** API keys as Redis keeps them. Promise: of a key only its SHA-256 is stored; who reads Redis cannot send with it. */
import { createHash, randomBytes } from 'node:crypto'
import type { Millrace } from 'millrace'
import { noteUse, revoke, revokedMax } from './api-key-scripts.ts'
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
  /** ISO 8601, by the server's clock; undefined: it has no end. */
  readonly expiresAt?: string | undefined
  /** Of the whole key, in hex. */
  readonly sha256: string
}

/** A key, and what became of it. */
export interface ApiKeyHistory extends ApiKey {
  /** Milliseconds since 1970, at most a minute before the last use; undefined: it is not known to be used. */
  readonly lastUsedMs: number | undefined
  /** Milliseconds since 1970; undefined: it is not revoked. */
  readonly revokedMs: number | undefined
}

export interface NewKey extends Pick<ApiKey, 'name' | 'scopes'> {
  /** Milliseconds until it ends; default: never. */
  readonly expiresInMs?: number | undefined
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

/**
 * The stored keys: a hash, id to JSON; beside it a hash, id to the time of the last use (`:used`), and a list of the 1,000 that
 * were revoked last (`:revoked`): receivers of any version let in nothing but what is in the first.
 */
export class ApiKeys {
  readonly #millrace: Pick<Millrace, 'send'>
  readonly #key: string

  constructor(millrace: Pick<Millrace, 'send'>, key: string) {
    this.#millrace = millrace
    this.#key = key
  }

  /** @returns the key with its secret, which is stored nowhere. @throws {MillraceError} */
  async create(wish: NewKey): Promise<{ text: string; apiKey: ApiKey }> {
    const id = randomBytes(6).toString('hex')
    const text = `mr_${id}_${randomBytes(32).toString('base64url')}`
    const { name, scopes, expiresInMs } = wish
    const now = await this.now()
    const createdAt = new Date(now).toISOString()
    const sha256 = hashOf(text).toString('hex')
    const expiresAt =
      expiresInMs === undefined ? undefined : new Date(now + expiresInMs).toISOString()
    // A receiver that knows no ends finds no hash where there is one, so it refuses the key instead of taking it for ever.
    const proof = expiresAt === undefined ? { sha256 } : { expiring: { at: expiresAt, sha256 } }
    const json = JSON.stringify({ name, scopes, createdAt, ...proof })
    const isNew = await this.#millrace.send('HSETNX', this.#key, id, json)
    if (isNew !== 1) return await this.create(wish)
    return { text, apiKey: { id, name, scopes, createdAt, expiresAt, sha256 } }
  }

  /** The keys that are not revoked, the oldest first. A field that is no key of ours is left out. @throws {MillraceError} */
  async list(): Promise<ApiKey[]> {
    const stored = await this.#pairs(this.#key)
    const keys = stored.map(([id, json]) => read(id, json)).filter((key) => key !== undefined)
    return keys.sort((a, b) => a.createdAt.localeCompare(b.createdAt))
  }

  /** All keys with what became of them: those of `list`, then those that were revoked, the last one last. @throws {MillraceError} */
  async history(): Promise<ApiKeyHistory[]> {
    const [keys, used, revoked] = await Promise.all([
      this.list(),
      this.#pairs(`${this.#key}:used`),
      this.#millrace.send('LRANGE', `${this.#key}:revoked`, '0', '-1') as Promise<string[]>,
    ])
    const lastUsed = new Map(used.map(([id, ms]) => [id, timeOf(ms)]))
    return [
      ...keys.map((key) => ({ ...key, lastUsedMs: lastUsed.get(key.id), revokedMs: undefined })),
      ...revoked
        .map(readRevoked)
        .filter((key) => key !== undefined)
        .reverse(),
    ]
  }

  /** Ends a key, and remembers when. @returns false when there is no such key. @throws {MillraceError} */
  async revoke(id: string): Promise<boolean> {
    return (await this.#run(revoke, [id, String(revokedMax)])) === 1
  }

  /** Remembers that a key is used now, unless it is revoked. @throws {MillraceError} */
  async noteUse(id: string): Promise<void> {
    await this.#run(noteUse, [id])
  }

  /** Milliseconds since 1970, by the clock that the ends of all keys go by. @throws {MillraceError} */
  async now(): Promise<number> {
    const [seconds, micros] = (await this.#millrace.send('TIME')) as [string, string]
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  }

  async #run(script: string, args: readonly string[]): Promise<unknown> {
    const keys = [this.#key, `${this.#key}:used`, `${this.#key}:revoked`]
    return await this.#millrace.send('EVAL', script, '3', ...keys, ...args)
  }

  async #pairs(key: string): Promise<[field: string, value: string][]> {
    const flat = (await this.#millrace.send('HGETALL', key)) as string[]
    const pairs: [string, string][] = []
    for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([flat[at] ?? '', flat[at + 1] ?? ''])
    return pairs
  }
}

/** What a record may hold; somebody else may have written it. */
interface Stored extends Partial<Record<keyof ApiKey, unknown>> {
  readonly expiring?: { readonly at?: unknown; readonly sha256?: unknown }
}

function read(id: string, json: string): ApiKey | undefined {
  if (!/^[0-9a-f]{12}$/.test(id)) return undefined
  try {
    const { name, scopes, createdAt, expiring, ...plain } = JSON.parse(json) as Stored
    const { sha256 } = expiring ?? plain
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
    if (!Array.isArray(scopes)) return undefined
    const expiresAt = expiring === undefined ? undefined : new Date(String(expiring.at))
    return {
      id,
      name: String(name),
      scopes: keyScopes.filter((scope) => (scopes as unknown[]).includes(scope)),
      createdAt: String(createdAt),
      // Throws where it is no time: an end that cannot be read is no key.
      expiresAt: expiresAt?.toISOString(),
      sha256,
    }
  } catch {
    return undefined
  }
}

function readRevoked(json: string): ApiKeyHistory | undefined {
  try {
    const { id, at, used, key } = JSON.parse(json) as Record<string, unknown>
    const apiKey = read(String(id), String(key))
    const revokedMs = timeOf(at)
    if (apiKey === undefined || revokedMs === undefined) return undefined
    return { ...apiKey, lastUsedMs: timeOf(used), revokedMs }
  } catch {
    return undefined
  }
}

/** What is no time of ours (from 1970 to 9999) is not known. */
function timeOf(text: unknown): number | undefined {
  const isTime = /^\d{1,15}$/.test(String(text)) && Number(text) <= Date.UTC(9999, 11, 31)
  return isTime ? Number(text) : undefined
}
