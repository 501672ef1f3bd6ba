/** Reads what a run has left in Redis. */
import { MillraceError, type Millrace } from 'millrace'
import { streamLedger, type GroupKeys, type Reply } from 'millrace/operate'
import type { CheckinModel } from '../checkin/src/domain/checkins.ts'
import type { Ending, Letter } from './judge.ts'

interface Place {
  readonly millrace: Millrace
  readonly model: CheckinModel
  /** Of the group. */
  readonly keys: GroupKeys
}

/** Everything that the judge looks at. */
export async function endingOf({ millrace, model, keys: ofGroup }: Place): Promise<Ending> {
  const hashes = new Map<string, Record<string, string>>()
  for (const pattern of [model.userKey('*'), model.locationKey('*')]) {
    for (const keys of inChunks(await keysOf(millrace, pattern), 500)) {
      const flats = await Promise.all(keys.map((key) => hashOf(millrace, key)))
      for (const [at, flat] of flats.entries()) {
        if (flat.length > 0) hashes.set(keys[at] ?? '', pairsOf(flat))
      }
    }
  }
  return {
    hashes,
    letters: await lettersOf(millrace, ofGroup.deadLetters),
    ledger: pairsOf(await hashOf(millrace, ofGroup.ledger)),
    streamLedger: pairsOf(await hashOf(millrace, streamLedger(ofGroup.stream))),
    length: Number(await millrace.send('XLEN', ofGroup.stream)),
  }
}

/** The dead letters of a stream of them, oldest first. */
async function lettersOf(millrace: Millrace, key: string): Promise<Letter[]> {
  const rows = (await millrace.send('XRANGE', key, '-', '+')) as [string, string[]][]
  return rows.map(([, flat]) => {
    const { id = '', reason = '', error = '' } = pairsOf(flat)
    return { id, reason, error }
  })
}

/** Names and values in turn, as an object. The first of a name counts, as in a dead letter. */
function pairsOf(flat: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (let at = 0; at < flat.length; at += 2) pairs[flat[at] ?? ''] ??= flat[at + 1] ?? ''
  return pairs
}

/** Empty when the key holds another type, as that of a barred user may: then no entry took effect there. */
async function hashOf(millrace: Millrace, key: string): Promise<string[]> {
  const flat = await millrace.send('HGETALL', key).catch((error: unknown) => {
    if (error instanceof MillraceError && error.code === 'WRONG_TYPE') return []
    throw error
  })
  return flat as string[]
}

async function keysOf(millrace: Millrace, pattern: string): Promise<string[]> {
  const keys = new Set<string>()
  let cursor = '0'
  do {
    const [next, found] = (await millrace.send(
      'SCAN',
      cursor,
      'MATCH',
      pattern,
      'COUNT',
      '1000',
    )) as [Reply, string[]]
    cursor = String(next)
    for (const key of found) keys.add(key)
  } while (cursor !== '0')
  return [...keys]
}

function inChunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}
