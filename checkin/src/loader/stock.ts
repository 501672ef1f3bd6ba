/**
 * Looks at what a load would remove, and how much of it no load could bring back: what is in none of the known data.
 * Reads only.
 */
import type { Millrace } from 'millrace'
import { groupKeys, type Reply } from 'millrace/operate'
import type { CheckinModel } from '../domain/checkins.ts'
import { sendForEach } from './batches.ts'
import type { LoadedData } from './data-folder.ts'
import { loadingKey, type Removed } from './replacement.ts'
import type { LoadedRecord } from './records.ts'
import { scan, scanIds } from './scan.ts'

export interface Stock {
  /** What would be removed. */
  readonly all: Removed
  /** How much of it is in none of the known data. */
  readonly beyond: Removed
  /** Groups that were there before and are not where they were: their ledgers are what they can be recovered from. */
  readonly lostGroups: readonly string[]
  /** The newest id of the stream; `0-0` without one. */
  readonly newestId: string
}

type Known = readonly LoadedData[]

interface Counted {
  readonly all: number
  readonly beyond: number
}

/** What check-ins change in a hash: it says nothing of where the hash came from. */
const changing = /^(?:numCheckins|lastCheckin|lastSeenAt|numStars|averageStars|@.*)$/
const pageSize = 1000

/** @param known data of folders: what is in one of them can be loaded again. */
export async function takeStock(
  millrace: Millrace,
  model: CheckinModel,
  known: Known,
): Promise<Stock> {
  const { checkins, userKey, locationKey } = model
  const entries = await countEntries(millrace, checkins.key, known)
  const letters = await countLetters(millrace, checkins.key, known)
  const users = await countHashes(millrace, userKey(''), byId(known, 'users'))
  const locations = await countHashes(millrace, locationKey(''), byId(known, 'locations'))
  const select = (which: keyof Counted): Removed => ({
    users: users[which],
    locations: locations[which],
    checkins: entries[which],
    deadLetters: letters[which],
  })
  const { newestId } = entries
  const all = select('all')
  // A load has begun, and broke off: what it left of the rest was to go.
  if ((await millrace.send('EXISTS', loadingKey(model))) === 1) {
    const nothing = { users: 0, locations: 0, deadLetters: 0 }
    return { all, beyond: { ...nothing, checkins: entries.beyond }, lostGroups: [], newestId }
  }
  const lostGroups = await findLostGroups(millrace, model)
  return { all, beyond: select('beyond'), lostGroups, newestId }
}

/** Whether a load can bring back all that it would remove. */
export function isReplaceable({ beyond, lostGroups }: Stock): boolean {
  return lostGroups.length === 0 && Object.values(beyond).every((count: number) => count === 0)
}

/** The newest id of a stream; `0-0` without one. */
export async function newestIdOf(millrace: Millrace, key: string): Promise<string> {
  if ((await millrace.send('EXISTS', key)) === 0) return '0-0'
  return String(valueOf(await millrace.send('XINFO', 'STREAM', key), 'last-generated-id'))
}

async function countEntries(
  millrace: Millrace,
  key: string,
  known: Known,
): Promise<Counted & { newestId: string }> {
  const newestId = await newestIdOf(millrace, key)
  if ((await millrace.send('EXISTS', key)) === 0) return { all: 0, beyond: 0, newestId }
  const info = await millrace.send('XINFO', 'STREAM', key)
  const all = Number(valueOf(info, 'length'))
  const most = Math.max(...known.map((data) => data.checkins.length))
  // More than ever came out of a folder, even if the rest is trimmed.
  const more = Math.max(0, Number(valueOf(info, 'entries-added')) - most)
  if (more > 0) return { all, beyond: more, newestId }
  const records = byId(known, 'checkins')
  const beyond = await countEach(millrace, key, (id, values) => !isOneOf(records.get(id), values))
  return { all, beyond, newestId }
}

async function countLetters(millrace: Millrace, key: string, known: Known): Promise<Counted> {
  const records = byId(known, 'checkins')
  let all = 0
  let beyond = 0
  for await (const keys of scan(millrace, 'stream', groupKeys(key, '*').deadLetters)) {
    for (const letters of keys) {
      const count = Number(await millrace.send('XLEN', letters))
      all += count
      const isFew = count <= records.size
      const isBeyond = (_: string, values: Values): boolean => !records.has(values.get('id') ?? '')
      beyond += isFew ? await countEach(millrace, letters, isBeyond) : count - records.size
    }
  }
  return { all, beyond }
}

type Values = ReadonlyMap<string, string>

/** Counts the entries of a stream for which something holds. */
async function countEach(
  millrace: Millrace,
  key: string,
  holds: (id: string, values: Values) => boolean,
): Promise<number> {
  let counted = 0
  let after: string | null | undefined
  do {
    const page = await millrace.entryPage(key, { after: after ?? undefined, count: pageSize })
    counted += page.entries.filter(({ id, flat }) => holds(id, valuesOf(flat))).length
    after = page.next
  } while (after !== null)
  return counted
}

async function countHashes(
  millrace: Millrace,
  prefix: string,
  records: ReturnType<typeof byId>,
): Promise<Counted> {
  const ids = new Set<string>()
  for await (const page of scanIds(millrace, prefix)) for (const id of page) ids.add(id)
  let beyond = 0
  const command = (id: string): string[] => ['HGETALL', `${prefix}${id}`]
  await sendForEach(millrace, [...ids], command, (reply, id) => {
    if (!isOneOf(records.get(id), valuesOf(reply))) beyond += 1
  })
  return { all: ids.size, beyond }
}

async function findLostGroups(millrace: Millrace, { checkins }: CheckinModel): Promise<string[]> {
  const lost: string[] = []
  const [before = '', after = ''] = groupKeys(checkins.key, '*').ledger.split('*')
  for await (const keys of scan(millrace, 'hash', `${before}*${after}`)) {
    for (const name of keys.map((key) => key.slice(before.length, -after.length))) {
      const { condition } = await millrace.group(checkins, name).recovery()
      if (condition !== 'healthy' && condition !== 'no-ledger') lost.push(name)
    }
  }
  return [...new Set(lost)]
}

/** The records of all known data, by id. */
function byId(known: Known, list: keyof LoadedData): Map<string, LoadedRecord[]> {
  const records = new Map<string, LoadedRecord[]>()
  for (const record of known.flatMap((data) => data[list])) {
    const id = String(record.id)
    records.set(id, [...(records.get(id) ?? []), record])
  }
  return records
}

/** Whether one of the records gives all that is held, but for what check-ins change. */
function isOneOf(records: readonly LoadedRecord[] | undefined, held: Values): boolean {
  const kept = [...held].filter(([field]) => !changing.test(field))
  return (records ?? []).some((record) =>
    kept.every(([field, value]) => String(record[field]) === value),
  )
}

function valuesOf(flat: Reply | readonly string[] | undefined): Values {
  const texts = list(flat).map(String)
  return new Map(
    Array.from({ length: texts.length / 2 }, (_, at) => [
      texts[2 * at] ?? '',
      texts[2 * at + 1] ?? '',
    ]),
  )
}

const list = (reply: Reply | readonly string[] | undefined): readonly Reply[] =>
  Array.isArray(reply) ? reply : []

const valueOf = (info: Reply, field: string): Reply | undefined => {
  const flat = list(info)
  return flat[flat.indexOf(field) + 1]
}
