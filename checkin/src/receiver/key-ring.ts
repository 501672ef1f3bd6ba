/** The API keys that this process knows. Promise: a check costs Redis nothing; a key that is revoked ends within 5 s. */
import { timingSafeEqual } from 'node:crypto'
import { hashOf, keyIdOf, type ApiKeys } from '../access/api-keys.ts'
import { rightsOfKey } from '../access/scopes.ts'
import type { Judgement } from './identity.ts'

interface KnownKey {
  readonly hash: Buffer
  readonly accepted: Judgement
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
    return isRight ? known.accepted : { kind: 'refused', reason: 'wrong-secret', who: id }
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
          accepted: {
            kind: 'accepted',
            identity: { kind: 'key', id, scopes: rightsOfKey(scopes) },
          },
        },
      ]),
    )
  }
}
