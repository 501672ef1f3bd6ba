/** Looks through what is pending, in bounded steps. Looking changes nothing. */
import type { Millrace } from 'millrace'
import { ageOf, type Reply } from 'millrace/operate'
import { pendingEntries, type PendingEntry } from './pending-entry.ts'
import {
  everything,
  type EntryFields,
  type Filtered,
  type PendingFilter,
} from './pending-filter.ts'

/** A pending entry with what the stream holds of it; `fields` null: it was deleted. */
export interface PendingWithFields extends PendingEntry {
  /** Milliseconds since it was appended, by its id; null: it tells no time. */
  readonly ageMs: number | null
  readonly fields: EntryFields | null
}

export interface PendingScan {
  readonly entries: readonly PendingWithFields[]
  /** Pending entries that were looked at. */
  readonly scanned: number
  /** Those that there are: of the consumer, where the filter names one. */
  readonly total: number
  /** It did not look at all, as nothing behind is old enough. */
  readonly isRestYounger: boolean
  /** The id behind which it can go on; null: there is nothing more. */
  readonly next: string | null
  /** Names of the fields that were seen, where the filter asks for fields; the first twenty. */
  readonly fieldNames: readonly string[]
}

export interface ScanOptions {
  readonly filter?: PendingFilter | undefined
  /** So many entries at most are found. */
  readonly limit: number
  /** So many are looked at; default 10,000. */
  readonly scanMax?: number
  /** Goes on behind this id. */
  readonly from?: string | undefined
}

export const scanMaxDefault = 10_000
const step = 500
const fieldNamesMax = 20

/** @throws {MillraceError} NO_GROUP, NO_STREAM, WRONG_TYPE. */
export async function scanPending(
  millrace: Pick<Millrace, 'send'>,
  { stream, group }: { readonly stream: string; readonly group: string },
  { filter = everything, limit, scanMax = scanMaxDefault, from }: ScanOptions,
): Promise<PendingScan> {
  const { consumer, leastAgeMs } = filter
  const [total, nowMs] = await Promise.all([
    pendingOf(millrace, stream, group, consumer),
    serverTime(millrace),
  ])
  const entries: PendingWithFields[] = []
  const names = new Set<string>()
  const told = { entries, total, isRestYounger: false }
  let scanned = 0
  let last = from
  while (scanned < scanMax) {
    const count = Math.min(step, scanMax - scanned)
    const wanted = { count, consumer, from: behind(last) }
    const page = await pendingEntries(millrace, stream, group, wanted)
    const aged = page.map((entry) => ({ ...entry, ageMs: ageOf(entry.id, nowMs) }))
    const old = aged.filter(({ ageMs }) => ageMs === null || ageMs >= leastAgeMs)
    const fitting = old.filter(filter.isFitting)
    const most = limit + 1 - entries.length
    entries.push(...(await withFields(millrace, stream, fitting, { filter, most, names })))
    if (entries.length > limit) {
      entries.pop()
      const next = entries.at(-1)?.id ?? null
      scanned += page.findIndex(({ id }) => id === next) + 1
      return { ...told, scanned, next, fieldNames: [...names] }
    }
    scanned += page.length
    last = page.at(-1)?.id ?? last
    // Ids rise, so what follows is younger still.
    const isRestYounger = old.length < aged.length
    if (page.length < count || isRestYounger) {
      return { ...told, isRestYounger, scanned, next: null, fieldNames: [...names] }
    }
  }
  return { ...told, scanned, next: last ?? null, fieldNames: [...names] }
}

const behind = (id: string | undefined): string => (id === undefined ? '-' : `(${id}`)

/** Reads what they hold, a few at once, and keeps those that fit; stops when there are enough. */
async function withFields(
  millrace: Pick<Millrace, 'send'>,
  stream: string,
  entries: readonly Filtered[],
  { filter, most, names }: { filter: PendingFilter; most: number; names: Set<string> },
): Promise<PendingWithFields[]> {
  const found: PendingWithFields[] = []
  for (let at = 0; at < entries.length && found.length < most; at += readAtOnce) {
    const some = entries.slice(at, at + readAtOnce)
    const read = await Promise.all(
      some.map(async (entry) => ({ ...entry, fields: await fieldsOf(millrace, stream, entry.id) })),
    )
    for (const [name] of read.flatMap(({ fields }) => fields ?? [])) {
      if (names.size < fieldNamesMax) names.add(name)
    }
    found.push(...read.filter(({ fields }) => filter.areFitting(fields)))
  }
  return found.slice(0, most)
}

const readAtOnce = 50

/** What the stream holds of an entry; null: it was deleted. */
export async function fieldsOf(
  millrace: Pick<Millrace, 'send'>,
  stream: string,
  id: string,
): Promise<EntryFields | null> {
  const [entry] = asList(await millrace.send('XRANGE', stream, id, id))
  if (entry === undefined) return null
  const flat = asList(asList(entry)[1]).map(String)
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : []))
}

/** How many are pending, for all or for one consumer. */
async function pendingOf(
  millrace: Pick<Millrace, 'send'>,
  stream: string,
  group: string,
  consumer: string | undefined,
): Promise<number> {
  const [total, , , consumers] = asList(await millrace.send('XPENDING', stream, group))
  if (consumer === undefined) return Number(total)
  const own = asList(consumers).map(asList)
  return Number(own.find(([name]) => name === consumer)?.[1] ?? 0)
}

async function serverTime(millrace: Pick<Millrace, 'send'>): Promise<number> {
  const [seconds, micros] = asList(await millrace.send('TIME')).map(Number)
  return (seconds ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000)
}

const asList = (reply: Reply | undefined): Reply[] => (Array.isArray(reply) ? reply : [])
