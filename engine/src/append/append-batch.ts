/**
 * Appends many entries in one call, each with an idempotency key at most once. Promise: what is checked about a key and
 * what is appended for it happen together, so of any number of clients with one key one appends.
 */
import { createHash } from 'node:crypto'
import { exhausted, MillraceError } from '../support/errors.ts'
import { encodeValue, type Fields, type ValuesOf } from '../declare/fields.ts'
import {
  anObject,
  checkOptions,
  checkValue,
  flag,
  integerFrom,
  listOf,
  required,
  text,
  type Rules,
} from '../support/option-values.ts'
import type { Connection } from '../redis/connection.ts'
import { runScript, scripts } from '../scripts/run-script.ts'
import { scriptFailure } from '../scripts/script-failure.ts'
import { checkDeclared, checkExtra, type ExtraFields, type Stream } from '../declare/stream.ts'

/** An entry of a batch. */
export interface BatchItem<F extends Fields> {
  readonly values: ValuesOf<F>
  /** While the key is remembered, an entry with it is appended once. Any text; only its digest is stored. */
  readonly idempotencyKey?: string | undefined
}

export interface BatchOptions {
  /** Replicas that must have received the entries within a second, default 0: the server alone. */
  readonly replicas?: number
  /** All or nothing, default false: then each entry is appended that can be. */
  readonly isAtomic?: boolean
  /** How long an idempotency key is remembered at least (ms), default 24 hours. */
  readonly rememberMs?: number
  /** Fields beyond the declared ones, the same for all entries; default: none. They are no part of what a key is good for. */
  readonly extra?: ExtraFields | undefined
  /** How many keys may be remembered; above, entries with a new key are refused. Default 5,000,000. */
  readonly keysMax?: number
}

/**
 * What became of an entry.
 *
 * - `appended`: confirmed, under this id.
 * - `replayed`: its key was used for the same values before: the id is that of the entry appended then.
 * - `mismatch`: its key was used for other values. Not appended.
 * - `keys-full`: as many keys are remembered as may be. Not appended.
 * - `held-back`: all or nothing was asked for, and another entry is `mismatch` or `keys-full`. Not appended.
 */
export type AppendOutcome =
  | { readonly kind: 'appended' | 'replayed'; readonly id: string }
  | { readonly kind: 'mismatch' | 'keys-full' | 'held-back' }

/** Entries that one call takes: it holds up the server for about a microsecond each. */
const batchItemsMax = 5000
const dayMs = 24 * 3_600_000
// What is in values and extra is checked when they are encoded.
const rules: Rules<BatchOptions> = {
  replicas: integerFrom(0),
  isAtomic: flag,
  rememberMs: integerFrom(1, 366 * dayMs),
  extra: anObject,
  keysMax: integerFrom(0),
}
const itemRules: Rules<BatchItem<Fields>> = { values: required(anObject), idempotencyKey: text }
const itemList = required(listOf(anObject))
const itemCount = integerFrom(0, batchItemsMax)

/** See `Millrace.appendBatch`. */
export async function appendBatch<F extends Fields>(
  connection: Pick<Connection, 'send'>,
  stream: Stream<F>,
  items: readonly BatchItem<F>[],
  options: BatchOptions = {},
): Promise<AppendOutcome[]> {
  const { isAtomic, replicas, rememberMs, keysMax, extra } = settings(stream, items, options)
  if (items.length === 0) return []
  const fields = Object.entries(stream.fields)
  checkExtra(stream, extra)
  const [extraNames, extraValues] = [Object.keys(extra), Object.values(extra)]
  const keys = [stream.key, onceKey(stream.key)]
  const names = [...fields.map(([name]) => name), ...extraNames]
  const args = [String(names.length), ...names]
  args.push(isAtomic ? '1' : '0', replicas > 0 ? '1' : '0')
  args.push(String(rememberMs), String(keysMax))
  for (const { values, idempotencyKey } of items) {
    const first = args.length
    checkDeclared(stream, values)
    for (const [name, field] of fields) args.push(encodeValue(name, field, values[name]))
    if (idempotencyKey === undefined) {
      args.push(...extraValues, '')
      continue
    }
    keys.push(`${onceKey(stream.key)}:${digest(idempotencyKey, 16)}`)
    args.push(...extraValues, digest(JSON.stringify(args.slice(first)), 8))
  }
  const [outcomes, code] = await runScript(connection, scripts.appendBatch, keys, args)
  if (outcomes === 'error') throw refusal(stream.key, String(code))
  return String(outcomes).split(' ').map(outcomeOf)
}

/** The options with their defaults. @throws {TypeError} or {RangeError} naming what cannot be used. */
function settings<F extends Fields>(
  stream: Stream<F>,
  items: readonly BatchItem<F>[],
  options: BatchOptions,
) {
  const action = `append to stream "${stream.key}"`
  checkOptions(action, options, rules)
  checkValue(action, 'the list of entries', items, itemList)
  checkValue(action, 'the number of entries', items.length, itemCount)
  for (const item of items) checkOptions(action, item, itemRules)
  const { isAtomic = false, replicas = 0, rememberMs = dayMs, keysMax = 5_000_000 } = options
  return { isAtomic, replicas, rememberMs, keysMax, extra: options.extra ?? {} }
}

/** Beside the stream, so in its cluster slot. The hash that counts the keys; each key is a string below it. */
function onceKey(stream: string): string {
  return `${stream}:once`
}

function outcomeOf(code: string): AppendOutcome {
  switch (code.charAt(0)) {
    case 'r':
      return { kind: 'replayed', id: code.slice(1) }
    case 'm':
      return { kind: 'mismatch' }
    case 'f':
      return { kind: 'keys-full' }
    case 'h':
      return { kind: 'held-back' }
    default:
      return { kind: 'appended', id: code }
  }
}

/** @param length in characters of six bits each. */
function digest(content: string, length: number): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, length)
}

function refusal(stream: string, code: string): MillraceError {
  const action = `Cannot append to stream "${stream}"`
  switch (code) {
    case 'wrong-type':
      return new MillraceError(
        'WRONG_TYPE',
        `${action}: it, or a key that begins with "${onceKey(stream)}", is of another type. Move that key away`,
      )
    case 'exhausted':
      return exhausted(stream)
    default:
      return scriptFailure(action, code) ?? new MillraceError('REFUSED', `${action}: ${code}`)
  }
}
