/**
 * The API keys that this process knows. Promise: a check costs Redis nothing; a key that is revoked ends within 5 s, one that has
 * an end at that time by the server's clock; that a key is used is told at most once a minute, and no request waits for it.
 */
import { timingSafeEqual } from 'node:crypto'
import { hashOf, keyIdOf, type ApiKey, type ApiKeys } from '../../access/api-keys.ts'
import { rightsOfKey } from '../../access/scopes.ts'
import type { Judgement } from './identity.ts'

interface KnownKey {
  readonly hash: Buffer
  readonly accepted: Judgement
  /** By the clock of this process, as `performance.now()` tells it. */
  readonly endsAt: number
  useToldAt: number
}

const freshForMs = 5000
/** An unknown key may be a new one; but however many come, Redis is asked once in this time. */
const askEveryMs = 1000
const tellUseEveryMs = 60_000
const noHash = Buffer.alloc(32)

export interface KeyRingOptions {
  readonly stored: Pick<ApiKeys, 'list' | 'now' | 'noteUse'>
  /** Is told when it cannot be noted that keys are used; at most once a minute. */
  readonly onTrouble: (error: unknown) => void
}

export class KeyRing {
  readonly #options: KeyRingOptions
  #known: ReadonlyMap<string, KnownKey> = new Map()
  #askedAt = -Infinity
  #loadedAt = -Infinity
  #troubleToldAt = -Infinity
  #asking: Promise<void> | undefined

  constructor(options: KeyRingOptions) {
    this.#options = options
  }

  /** @throws {MillraceError} when the keys could not be read for more than 5 s. */
  judge(text: string): Judgement | Promise<Judgement> {
    const id = keyIdOf(text)
    if (id === undefined) return { kind: 'refused', reason: 'malformed' }
    const isFresh = performance.now() - this.#loadedAt < freshForMs
    const mayAsk = performance.now() - this.#askedAt >= askEveryMs
    if (isFresh && (this.#known.has(id) || !mayAsk)) return this.#match(id, text)
    return this.#ask().then(() => this.#match(id, text))
  }

  #match(id: string, text: string): Judgement {
    const known = this.#known.get(id)
    // An unknown id takes as long as a wrong secret.
    const isRight = timingSafeEqual(hashOf(text), known?.hash ?? noHash)
    if (known === undefined) return { kind: 'refused', reason: 'unknown-key', who: id }
    if (!isRight) return { kind: 'refused', reason: 'wrong-secret', who: id }
    const now = performance.now()
    if (now >= known.endsAt) return { kind: 'refused', reason: 'expired', who: id }
    if (now - known.useToldAt >= tellUseEveryMs) {
      known.useToldAt = now
      this.#options.stored.noteUse(id).catch((error: unknown) => this.#hasTrouble(error))
    }
    return known.accepted
  }

  #hasTrouble(error: unknown): void {
    const now = performance.now()
    if (now - this.#troubleToldAt < tellUseEveryMs) return
    this.#troubleToldAt = now
    this.#options.onTrouble(error)
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#load().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #load(): Promise<void> {
    this.#askedAt = performance.now()
    const { stored } = this.#options
    const [serverNow, keys] = await Promise.all([stored.now(), stored.list()])
    this.#loadedAt = performance.now()
    const aheadMs = this.#loadedAt - serverNow
    this.#known = new Map(keys.map((key) => [key.id, this.#knownKey(key, aheadMs)]))
  }

  #knownKey({ id, sha256, scopes, expiresAt }: ApiKey, aheadMs: number): KnownKey {
    return {
      hash: Buffer.from(sha256, 'hex'),
      accepted: { kind: 'accepted', identity: { kind: 'key', id, scopes: rightsOfKey(scopes) } },
      endsAt: expiresAt === undefined ? Infinity : Date.parse(expiresAt) + aheadMs,
      useToldAt: this.#known.get(id)?.useToldAt ?? -Infinity,
    }
  }
}
