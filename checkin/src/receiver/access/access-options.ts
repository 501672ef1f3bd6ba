/** Who may use the receiver, and how much of it. */
import type { Millrace } from 'millrace'
import { ApiKeys } from '../../access/api-keys.ts'
import type { CheckinModel } from '../../domain/checkins.ts'
import type { Log } from '../../log.ts'
import { escaped } from 'millrace-ops/terminal'
import { KeyRing } from './key-ring.ts'
import { SharedBuckets } from './shared-buckets.ts'
import type { Tokens } from './tokens.ts'

/** Who may use the receiver; the default is everybody. */
export interface AccessOptions {
  /** True: API keys are asked for. */
  readonly apiKeys?: boolean
  /** Tokens are asked for; with `apiKeys`, either will do. */
  readonly tokens?: Tokens | undefined
  /** Check-ins, and requests without any, a second for each client, over all receivers; default: any number. */
  readonly rateLimit?: number | undefined
  /** Origins whose pages may use it (CORS); default: none. */
  readonly origins?: readonly string[]
  /** Names beyond those of the loopback that may stand in Host. */
  readonly hosts?: readonly string[]
  /** Addresses of proxies whose X-Forwarded-For is believed; default: none. */
  readonly trustProxy?: string | undefined
  /** Fields of users and locations that everybody sees beyond the usual ones; default: none. */
  readonly publicFields?: readonly string[]
  /** False: neither `/docs` nor `/openapi.json` is served; default true. */
  readonly docs?: boolean
}

/** Where keys and buckets are. */
interface AccessStore {
  readonly model: Pick<CheckinModel, 'apiKeysKey' | 'rateKeys'>
  readonly log: Log
}

/** True when nobody must show anything, no page of another origin is served, and clients are not counted. */
export function isOpen({
  apiKeys = false,
  tokens,
  rateLimit,
  origins = [],
}: AccessOptions): boolean {
  return !apiKeys && tokens === undefined && rateLimit === undefined && origins.length === 0
}

/** @param bounded calls Redis within bounds. @returns undefined when no API keys are asked for. */
export function keyRingOf(
  { apiKeys = false }: AccessOptions,
  { bounded, model, log }: AccessStore & { readonly bounded: Pick<Millrace, 'send'> },
): KeyRing | undefined {
  if (!apiKeys) return undefined
  const onTrouble = (error: unknown): void => {
    log.warn(`Cannot note that API keys are used: ${escaped(String(error))}.`)
  }
  return new KeyRing({ stored: new ApiKeys(bounded, model.apiKeysKey), onTrouble })
}

/** @returns undefined when clients may send as much as they like. */
export function bucketsOf(
  { rateLimit: perSecond }: AccessOptions,
  { millrace, model, log }: AccessStore & { readonly millrace: Pick<Millrace, 'send'> },
): SharedBuckets | undefined {
  if (perSecond === undefined) return undefined
  const onTrouble = (error: unknown): void => {
    log.warn(`The rate limit counts in this process alone: ${escaped(String(error))}.`)
  }
  return new SharedBuckets({ perSecond, millrace, prefix: model.rateKeys, onTrouble })
}
