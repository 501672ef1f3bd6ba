/** The API keys that this process knows. Promise: a check costs Redis nothing; a key that is revoked ends within 5 s. */
import { timingSafeEqual } from 'node:crypto'
import { hashOf, keyIdOf, type ApiKeys } from '../access/api-keys.ts'
import type { Identity } from './identity.ts'

interface KnownKey {
  readonly hash: Buffer
  readonly identity: Identity
}

const freshForMs = 5000
/** An unknown key may be a new one; but however many come, Redis is asked once in this time. */
const askEveryMs = 1000
const noHash = Buffer.alloc(32)

export class KeyRing {
  readonly #stored: Pick<ApiKeys, 'list'>
  #known: ReadonlyMap<string, KnownKey> = new Map()
  #askedAt = -Infinity
  #loadedAt = -Infinity
  #asking: Promise<void> | undefined

  constructor(stored: Pick<ApiKeys, 'list'>) {
    this.#stored = stored
  }

  /**
   * @returns undefined when there is no such key.
   * @throws {MillraceError} when the keys could not be read for more than 5 s.
   */
  identify(text: string): Identity | undefined | Promise<Identity | undefined> {
    const id = keyIdOf(text)
    if (id === undefined) return undefined
    const isFresh = performance.now() - this.#loadedAt < freshForMs
    const mayAsk = performance.now() - this.#askedAt >= askEveryMs
    if (isFresh && (this.#known.has(id) || !mayAsk)) return this.#match(id, text)
    return this.#ask().then(() => this.#match(id, text))
  }

  #match(id: string, text: string): Identity | undefined {
    const known = this.#known.get(id)
    // An unknown id takes as long as a wrong secret.
    const isRight = timingSafeEqual(hashOf(text), known?.hash ?? noHash)
    return isRight ? known?.identity : undefined
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#load().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #load(): Promise<void> {
    this.#askedAt = performance.now()
    const keys = await this.#stored.list()
    this.#loadedAt = performance.now()
    this.#known = new Map(
      keys.map(({ id, sha256, scopes }) => [
        id,
        {
          hash: Buffer.from(sha256, 'hex'),
          identity: { kind: 'key', id, scopes: new Set(scopes) },
        },
      ]),
    )
  }
}
