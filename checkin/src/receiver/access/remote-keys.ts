/**
 * The public keys at an address (JWKS). Promise: once they were read, an outage of that address stops nobody for hours; it is asked
 * seldom, whatever tokens come; and a key that may be a new one is never refused for good.
 */
import {
  createRemoteJWKSet,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  type JWTVerifyGetKey,
} from 'jose'

/** The keys cannot be read now, so nobody can be judged. Nothing was done for the request. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError'
  /** When it may be otherwise, in seconds; undefined: soon. */
  readonly retryAfterS: number | undefined

  constructor(message: string, options: ErrorOptions & { readonly retryAfterS?: number } = {}) {
    super(message, options)
    this.retryAfterS = options.retryAfterS
  }
}

export interface RemoteKeysOptions {
  readonly url: URL
  /** How long (ms) keys are good for that cannot be read anew. */
  readonly staleForMs: number
  /** In milliseconds, monotonic. */
  readonly now?: (() => number) | undefined
}

/** Is told what became of each look at the keys. */
export interface KeysObserver {
  readonly read: () => void
  /** `ageMs`: how old the keys are that are gone on with; undefined: there are none. */
  readonly failed: (error: KeysUnavailableError, ageMs: number | undefined) => void
}

/** Older than that, they are read anew while tokens are checked with the old ones. */
const freshForMs = 5 * 60_000
/** After keys were read, and after they could not be, for so long the address is left alone. */
const pauseMs = 10_000
const pauseAfterFailureMs = 1000
const timeoutMs = 3000
const absentMax = 1000

export class RemoteKeys {
  readonly #options: RemoteKeysOptions
  readonly #now: () => number
  readonly #set: ReturnType<typeof createRemoteJWKSet>
  /** Names of keys that were asked for and were not there, and how many looks had begun before. */
  readonly #absent = new Map<string, number>()
  #observer: KeysObserver | undefined
  #asking: Promise<void> | undefined
  #looksBegun = 0
  /** The look that found the keys; when it began, and when the last one failed. */
  #foundBy = 0
  #readAt: number | undefined
  #failedAt: number | undefined

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    // It fetches and finds; when, is said here.
    const never = { cacheMaxAge: Infinity, cooldownDuration: Infinity }
    this.#set = createRemoteJWKSet(options.url, { timeoutDuration: timeoutMs, ...never })
  }

  observe(observer: KeysObserver): void {
    this.#observer = observer
  }

  /** Milliseconds since the keys were read; undefined: never. */
  get ageMs(): number | undefined {
    return this.#readAt === undefined ? undefined : this.#now() - this.#readAt
  }

  /** Finds the key of a token. @throws {KeysUnavailableError} */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const { ageMs } = this
    if (ageMs === undefined || ageMs > this.#options.staleForMs) await this.#ask()
    // Who fails here is told of by the observer.
    else if (ageMs > freshForMs) void this.#ask().catch(() => undefined)
    try {
      return await this.#set(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      return await this.#lookAgain(header, token)
    }
  }

  /** The key may have been made since the keys were read. */
  async #lookAgain(
    header: JWSHeaderParameters,
    token: FlattenedJWSInput,
  ): Promise<Awaited<ReturnType<JWTVerifyGetKey>>> {
    const looksBefore = this.#looksBefore(header.kid ?? '')
    const wasLookedFor = (): boolean => this.#foundBy > looksBefore
    if (!wasLookedFor() || (this.ageMs ?? 0) >= pauseMs) await this.#ask()
    try {
      return await this.#set(header, token)
    } catch (error) {
      if (wasLookedFor()) throw error
      throw new KeysUnavailableError('The key of a token may be a new one', { retryAfterS: 1 })
    }
  }

  #looksBefore(kid: string): number {
    const known = this.#absent.get(kid)
    if (known !== undefined) return known
    const [oldest] = this.#absent.keys()
    if (this.#absent.size >= absentMax && oldest !== undefined) this.#absent.delete(oldest)
    this.#absent.set(kid, this.#looksBegun)
    return this.#looksBegun
  }

  #ask(): Promise<void> {
    if (this.#asking !== undefined) return this.#asking
    const waitMs = Math.max(
      (this.#readAt ?? -Infinity) + pauseMs,
      (this.#failedAt ?? -Infinity) + pauseAfterFailureMs,
    )
    const leftS = Math.ceil((waitMs - this.#now()) / 1000)
    if (leftS > 0) {
      const message = 'The keys of the tokens were asked for a moment ago'
      return Promise.reject(new KeysUnavailableError(message, { retryAfterS: leftS }))
    }
    this.#asking = this.#read().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #read(): Promise<void> {
    this.#looksBegun += 1
    const [look, beganAt] = [this.#looksBegun, this.#now()]
    try {
      await this.#set.reload()
      this.#readAt = beganAt
      this.#foundBy = look
      this.#failedAt = undefined
      this.#observer?.read()
    } catch (error) {
      this.#failedAt = this.#now()
      const { origin, pathname } = this.#options.url
      const failure = new KeysUnavailableError(
        `The keys of the tokens cannot be read from ${origin}${pathname}: ${reasonOf(error)}`,
        { cause: error },
      )
      this.#observer?.failed(failure, this.ageMs)
      throw failure
    }
  }
}

/** Of a fetch that failed, the cause says more than the error. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: unknown; cause?: { message?: unknown } }
  const inner = cause?.message
  return typeof inner === 'string' && inner !== '' ? inner : String(message)
}
