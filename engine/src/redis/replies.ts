/** Reads what Redis replies: lists, names and values in turn, entries. */
import { MillraceError } from '../support/errors.ts'
import type { Reply } from './connection.ts'
import { sizeOf } from './entry-sizes.ts'

/** A reply that is a list. @throws {MillraceError} REFUSED when it is not, as no server of ours answers. */
export function asList(reply: Reply): Reply[] {
  if (Array.isArray(reply)) return reply
  throw new MillraceError('REFUSED', {
    action: 'Cannot read a reply of the server',
    state: `it is a ${typeof reply}, not a list`,
    remedy: 'Look at what stands between here and the server: it does not answer as Redis does',
  })
}

/** A part of a reply that is a list of texts; empty where it is missing. */
export function textsOf(reply: Reply | undefined): string[] {
  return asList(reply ?? []).map(String)
}

/** Null for what is no number: scripts return an empty text where they know none. */
export const numberOrNull = (reply: Reply | undefined): number | null =>
  typeof reply === 'number' ? reply : null

/** Null for what is no text, or an empty one. */
export const textOrNull = (reply: Reply | undefined): string | null =>
  typeof reply === 'string' && reply !== '' ? reply : null

/** Names and values in turn, as an object. */
export function record(flat: Reply): Record<string, Reply> {
  const list = asList(flat)
  const values = Object.create(null) as Record<string, Reply>
  for (let at = 0; at < list.length; at += 2) values[String(list[at])] = list[at + 1] ?? null
  return values
}

export interface ConsumerDescription {
  readonly name: string
  /** Entries that are delivered to it and not acknowledged. */
  readonly pending: number
  /** Milliseconds since its last read; on Redis 7.0 since its last read that returned entries. */
  readonly idleMs: number
}

/** A consumer in the reply of XINFO CONSUMERS. */
export function consumerOf(flat: Reply): ConsumerDescription {
  const values = record(flat)
  return {
    name: String(values.name),
    pending: Number(values.pending),
    idleMs: Number(values.idle),
  }
}

/** An entry as Redis returns it; `flat` is null when its body was trimmed or deleted. */
export interface RawEntry {
  readonly id: string
  /** Names and values in turn. */
  readonly flat: readonly string[] | null
  /** About what it takes in memory. */
  readonly bytes: number
}

/** Names and values in turn, as pairs. */
export function pairsOf(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let at = 0; at < flat.length; at += 2) pairs.push([flat[at] ?? '', flat[at + 1] ?? ''])
  return pairs
}

/** One entry in a reply. */
export function rawEntry(reply: Reply): RawEntry {
  const [id, body] = asList(reply)
  const flat = body === null ? null : (asList(body ?? []) as string[])
  return { id: String(id), flat, bytes: sizeOf(flat) }
}

/** The entries in a part of a reply; none where it is missing. */
export function rawEntries(reply: Reply | undefined): RawEntry[] {
  return asList(reply ?? []).map(rawEntry)
}

/** The entries in the reply of XREAD or XREADGROUP for one stream. */
export function entriesOf(reply: Reply): RawEntry[] {
  if (reply === null) return []
  return rawEntries(asList(asList(reply)[0] ?? [])[1])
}
