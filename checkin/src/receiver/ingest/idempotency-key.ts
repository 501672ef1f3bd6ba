/** What a client may name its check-ins by, so that each is recorded once however often it is sent. */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import type { Identity } from '../access/identity.ts'
import { plainProblem, type Problem } from '../http/problem.ts'

/** How long keys are remembered, and how many; options of the engine's `appendBatch`. */
export interface IdempotencyLimits {
  /** Milliseconds, default 24 hours. */
  readonly rememberMs: number
  /** Default 5,000,000: about 0.9 GB of the store. */
  readonly keysMax: number
}

/** What the header `Idempotency-Key` says. */
export type KeyHeader =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'malformed' }

export const keyLengthMax = 255

// A string of structured fields (RFC 9651), as the IETF draft has it; and bare, as everybody writes it since Stripe.
const quoted = /^"((?:[ !#-[\]-~]|\\["\\])+)"$/
const bare = /^[!#-+\--~]+$/

/** Reads the header; `"abc"` and `abc` are the same key. Two headers are malformed: Node joins them with a comma. */
export function keyHeader(headers: IncomingHttpHeaders): KeyHeader {
  const given = headers['idempotency-key']
  if (given === undefined) return { kind: 'none' }
  const text = String(given)
  const inner = quoted.exec(text)?.[1]?.replaceAll(/\\(.)/g, '$1')
  const key = inner ?? (bare.test(text) ? text : '')
  return key === '' || key.length > keyLengthMax ? { kind: 'malformed' } : { kind: 'key', key }
}

/** The header `Idempotency-Key`, for the documentation. */
export const keyHeaderSchema = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      minLength: 1,
      maxLength: keyLengthMax,
      description:
        'Sent again with the same key and the same content, a check-in is recorded once and the answer is the same.',
    },
  },
} as const

/** What a batch may name one of its check-ins by. A key of a single check-in and a `clientId` mean the same. */
export const clientIdText = z
  .string()
  .min(1)
  .max(keyLengthMax)
  // Lone surrogates, and bytes that were no UTF-8, would make two ids one.
  .refine((text) => !/[\p{Surrogate}\p{Cc}\uFFFD]/u.test(text))
  .describe(
    'Sent again with the same clientId and the same content, a check-in is recorded once. The same as an Idempotency-Key.',
  )

/** The key for the engine: clients that show different credentials cannot meet in one. */
export function scopedKey(identity: Identity | null, key: string): string {
  if (identity === null) return `open:${key}`
  const who = identity.kind === 'key' ? identity.id : identity.subject
  // The length keeps apart what is whose, whatever is in it.
  return `${identity.kind}:${who.length}:${who}:${key}`
}

/** The keys of requests that have no answer yet. They are as many as there are requests, so their number is bounded. */
export class KeysInFlight {
  readonly #keys = new Set<string>()

  /** @returns undefined when the key is in flight already; otherwise what gives it back. */
  take(key: string): (() => void) | undefined {
    if (this.#keys.has(key)) return undefined
    this.#keys.add(key)
    return () => this.#keys.delete(key)
  }
}

export const malformedKey: Problem = {
  type: '/problems/idempotency-key-malformed',
  title: 'Idempotency-Key is malformed',
  status: 400,
  detail: `Idempotency-Key must be one text of 1 to ${keyLengthMax} visible ASCII characters, in quotes or without`,
}

export const keyInFlight: Problem = {
  type: '/problems/idempotency-key-in-flight',
  title: 'A request with this Idempotency-Key is being worked on',
  status: 409,
  detail: 'Wait for its answer, or send it again a little later',
}

export const keyReused: Problem = {
  type: '/problems/idempotency-key-reused',
  title: 'The key was used for another check-in',
  status: 422,
  detail: 'A key is good for one check-in. Nothing was recorded for this one',
}

export const tooManyKeys: Problem = {
  type: '/problems/idempotency-keys-full',
  title: 'Temporarily unavailable',
  status: 503,
  detail:
    'As many idempotency keys are remembered as may be. The check-in was not recorded. Without a key it can be sent',
}

export const heldBack: Problem = plainProblem(
  424,
  'All or nothing was asked for, and another check-in of the batch was refused',
)
