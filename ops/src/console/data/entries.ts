/** Reads entries for the page. Promise: a call is bounded in entries and bytes, and changes nothing. */
import { MillraceError, stream, text, type Millrace } from 'millrace'
import type { EntryState } from 'millrace/operate'
import { groupNames } from '../../place/find-streams.ts'
import {
  pendingEntries,
  type PendingEntry,
  type PendingWanted,
} from '../../groups/pending-entry.ts'
import { listedMax, pairsOf, wholeMax, type Fields, type Pairs } from './fields.ts'
import type { Entries, EntryInGroup, EntryLook, GroupName, PendingPage } from '../wire.ts'

export type Reads = Pick<Millrace, 'send' | 'entryPage' | 'group'>

const bodiesAtOnce = 25
const bytesMax = 2_000_000
const groupsMax = 50

export interface PendingAsked extends PendingWanted {
  /** The page begins behind this entry. */
  readonly behind?: string | undefined
}

/** A page of pending entries with what stands in them; shorter where they are large. */
export async function pendingPage(
  millrace: Reads,
  { stream: key, group }: GroupName,
  { behind, ...wanted }: PendingAsked,
  fields: Fields,
): Promise<PendingPage> {
  // One more says whether there are more.
  const from = behind === undefined ? {} : { from: `(${behind}` }
  const found = await pendingEntries(millrace, key, group, {
    ...wanted,
    ...from,
    count: wanted.count + 1,
  })
  const listed = found.slice(0, wanted.count)
  const entries: PendingPage['entries'][number][] = []
  let bytes = 0
  for (let at = 0; at < listed.length && bytes < bytesMax; at += bodiesAtOnce) {
    const some = listed.slice(at, at + bodiesAtOnce)
    const bodies = await Promise.all(some.map(({ id }) => bodyOf(millrace, key, id)))
    some.forEach((entry, each) => {
      const body = bodies[each] ?? null
      bytes += sizeOf(body)
      entries.push({ ...entry, fields: body && fields.shown(body, listedMax) })
    })
  }
  const isAll = entries.length === found.length
  return { entries, next: isAll ? null : (entries.at(-1)?.id ?? null) }
}

/** Null when the stream does not hold it. */
async function bodyOf(millrace: Reads, key: string, id: string): Promise<Pairs | null> {
  const { entries } = await millrace.entryPage(key, { from: id, to: id, count: 1 })
  return entries[0] === undefined ? null : pairsOf(entries[0].flat)
}

const sizeOf = (body: Pairs | null): number =>
  body?.reduce((sum, [name, value]) => sum + name.length + value.length, 0) ?? 0

/** One entry: what stands in it, and where each group of the stream has it. */
export async function lookAt(
  millrace: Reads,
  { stream: key, id }: { readonly stream: string; readonly id: string },
  fields: Fields,
): Promise<EntryLook> {
  const body = await bodyOf(millrace, key, id)
  const names = await groupNames(millrace, key)
  const asked = names.slice(0, groupsMax)
  const groups = await Promise.all(
    asked.map((group) => inGroup(millrace, { stream: key, group }, id, fields)),
  )
  const isComplete = asked.length === names.length
  return { id, stream: key, fields: body && fields.shown(body, wholeMax), groups, isComplete }
}

async function inGroup(
  millrace: Reads,
  { stream: key, group }: GroupName,
  id: string,
  fields: Fields,
): Promise<EntryInGroup> {
  const pending = await pendingOne(millrace, { stream: key, group }, id)
  const state = await stateOf(millrace, { stream: key, group }, id)
  if (state === undefined)
    return { group, kind: pending === null ? 'delivered' : 'pending', pending, letter: null }
  const letter = state.kind === 'dead' ? fields.letter(state.letter, wholeMax) : null
  return { group, kind: state.kind, pending: state.kind === 'pending' ? pending : null, letter }
}

/** Undefined where the engine can have no group of such a name, or may not ask. */
async function stateOf(
  millrace: Reads,
  { stream: key, group }: GroupName,
  id: string,
): Promise<EntryState | undefined> {
  try {
    return await millrace.group(stream(key, { any: text() }), group).entryState(id)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    if (error instanceof MillraceError && error.code === 'AUTHENTICATION') return undefined
    throw error
  }
}

async function pendingOne(
  millrace: Reads,
  { stream: key, group }: GroupName,
  id: string,
): Promise<PendingEntry | null> {
  const [entry] = await pendingEntries(millrace, key, group, { from: id, count: 1 })
  return entry?.id === id ? entry : null
}

/** A page of a stream. */
export async function entriesOf(
  millrace: Reads,
  key: string,
  options: Parameters<Reads['entryPage']>[1],
  fields: Fields,
): Promise<Entries> {
  const { entries, next } = await millrace.entryPage(key, options)
  const shown = entries.map(({ id, flat }) => ({
    id,
    fields: fields.shown(pairsOf(flat), listedMax),
  }))
  return { entries: shown, next }
}
