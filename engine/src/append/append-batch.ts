/**
 * Appends many entries in one call, each with an idempotency key at most once. Promise: what is checked about a key and
 * what is appended for it happen together, so of any number of clients with one key one appends.
 */
import { createHash } from 'node:crypto'
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
import { checkDeclared, checkExtra, type ExtraFields, type Stream } from '../declare/stream.ts'
import * as scripts from '../scripts/append.ts'
import type { AppendOutcome } from '../scripts/append.ts'

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
  const names = [...fields.map(([name]) => name), ...extraNames]
  const digests: string[] = []
  const rows: string[] = []
  for (const { values, idempotencyKey } of items) {
    const first = rows.length
    checkDeclared(stream, values)
    for (const [name, field] of fields) rows.push(encodeValue(name, field, values[name]))
    if (idempotencyKey === undefined) {
      rows.push(...extraValues, '')
      continue
    }
    digests.push(digest(idempotencyKey, 16))
    rows.push(...extraValues, digest(JSON.stringify(rows.slice(first)), 8))
  }
  const bounds = { isAtomic, rewrites: replicas > 0, rememberMs, keysMax }
  return await scripts.appendBatch(connection, stream.key, { names, rows, digests, ...bounds })
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

/** @param length in characters of six bits each. */
function digest(content: string, length: number): string {
  return createHash('sha256').update(content).digest('base64url').slice(0, length)
}
