/**
 * Replaces everything that check-ins are made of. Promise: whenever it ends in the middle, the stream is not there, so
 * no processor works on half of the data; loading again is the whole repair.
 */
import { MillraceError, type Millrace } from 'millrace'
import { groupKeys, readerKeys, streamLedger } from 'millrace/operate'
import type { CheckinModel } from '../domain/checkins.ts'
import { CommandError } from 'millrace-ops/command'
import { sendForEach } from './batches.ts'
import type { LoadedData } from './data-folder.ts'
import { indexKeys, indexLoaded } from './indexes.ts'
import type { LoadedRecord } from './records.ts'
import { scan, scanIds } from './scan.ts'
import { sentence } from 'millrace-ops/terminal'

/** Where the data goes. */
export interface Target {
  readonly model: CheckinModel
  readonly group: string
}

/** What stood there before. */
export interface Removed {
  readonly users: number
  readonly locations: number
  readonly checkins: number
  readonly deadLetters: number
}

/**
 * Checks that every key we are about to write holds what we replace, or nothing.
 * @throws {CommandError} naming a key of another type.
 */
export async function checkKeys(
  millrace: Millrace,
  { model, group }: Target,
  data: LoadedData,
): Promise<void> {
  const { checkins, positionKey, userKey, locationKey } = model
  const keys: [key: string, type: string][] = [
    [checkins.key, 'stream'],
    [groupKeys(checkins.key, group).deadLetters, 'stream'],
    [loadingKey(model), 'stream'],
    [positionKey, 'string'],
    ...indexKeys(model).map((key): [string, string] => [key, 'zset']),
    ...data.users.map(({ id }): [string, string] => [userKey(String(id)), 'hash']),
    ...data.locations.map(({ id }): [string, string] => [locationKey(String(id)), 'hash']),
  ]
  await sendForEach(
    millrace,
    keys,
    ([key]) => ['TYPE', key],
    (reply, [key, type]) => {
      if (reply === 'none' || reply === type) return
      throw new CommandError(
        `Cannot load into key "${key}": it holds a ${String(reply)}, not a ${type}. ` +
          'Move it away, or set KEY_PREFIX. Nothing was loaded',
      )
    },
  )
}

/**
 * Removes what was there and writes the data.
 * @param onWritten is told how many more records are in Redis.
 * @throws {CommandError} saying what is left when it broke off.
 */
export async function replace(
  millrace: Millrace,
  target: Target,
  data: LoadedData,
  onWritten: (count: number) => void,
): Promise<Removed> {
  try {
    const removed = await remove(millrace, target.model)
    await write(millrace, target, data, onWritten)
    return removed
  } catch (error) {
    if (!(error instanceof MillraceError || error instanceof CommandError)) throw error
    throw new CommandError(
      `Cannot finish the load: ${sentence(error.message)} What was there is removed, and processors ` +
        'refuse to run until a load is complete. Load again',
      { cause: error },
    )
  }
}

async function remove(millrace: Millrace, model: CheckinModel): Promise<Removed> {
  const { checkins, positionKey, readingKey, userKey, locationKey } = model
  const count = await millrace.send('XLEN', checkins.key)
  // The stream goes first and comes back last: without it nothing works on the hashes. Under its other name it says that a
  // load has begun, should it break off: what is left of the rest was to go.
  if (Number(await millrace.send('EXISTS', checkins.key)) === 1) {
    await millrace.send('RENAME', checkins.key, loadingKey(model))
  }
  await millrace.send('UNLINK', positionKey, readingKey, ...indexKeys(model))
  const deadLetters = await removeDeadLetters(millrace, checkins.key)
  await removeLedgers(millrace, checkins.key)
  const users = await removeHashes(millrace, userKey(''))
  const locations = await removeHashes(millrace, locationKey(''))
  await beginLoading(millrace, loadingKey(model))
  return { checkins: Number(count), users, locations, deadLetters }
}

/** Makes the stream that will be loaded, empty. */
async function beginLoading(millrace: Millrace, loading: string): Promise<void> {
  await millrace.send('UNLINK', loading)
  await millrace.send('XGROUP', 'CREATE', loading, 'none', '$', 'MKSTREAM')
  await millrace.send('XGROUP', 'DESTROY', loading, 'none')
}

/** Removes the hashes whose key is the prefix and an id, and nothing else below the prefix. */
async function removeHashes(millrace: Millrace, prefix: string): Promise<number> {
  let removed = 0
  for await (const ids of scanIds(millrace, prefix)) {
    const own = ids.map((id) => `${prefix}${id}`)
    if (own.length > 0) removed += Number(await millrace.send('UNLINK', ...own))
  }
  return removed
}

/** Removes the dead letters of all groups of the stream, since the groups go with it, and of the single processor. */
async function removeDeadLetters(millrace: Millrace, streamKey: string): Promise<number> {
  let removed = 0
  for await (const keys of scan(millrace, 'stream', groupKeys(streamKey, '*').deadLetters)) {
    for (const key of keys) removed += Number(await millrace.send('XLEN', key))
    if (keys.length > 0) await millrace.send('UNLINK', ...keys)
  }
  return removed
}

/** The stream begins anew, so what was counted about it and its groups is over. */
async function removeLedgers(millrace: Millrace, streamKey: string): Promise<void> {
  await millrace.send('UNLINK', streamLedger(streamKey))
  for (const { ledger } of [groupKeys(streamKey, '*'), readerKeys(streamKey, '*')]) {
    for await (const keys of scan(millrace, 'hash', ledger)) {
      if (keys.length > 0) await millrace.send('UNLINK', ...keys)
    }
  }
}

async function write(
  millrace: Millrace,
  { model, group }: Target,
  data: LoadedData,
  onWritten: (count: number) => void,
): Promise<void> {
  const { checkins, userKey, locationKey } = model
  const onReply = (): void => onWritten(1)
  const hash = (key: string, record: LoadedRecord) => ['HSET', key, ...flat(record)]
  await sendForEach(millrace, data.users, (user) => hash(userKey(String(user.id)), user), onReply)
  await sendForEach(
    millrace,
    data.locations,
    (location) => hash(locationKey(String(location.id)), location),
    onReply,
  )
  await indexLoaded(millrace, model, data)
  const loading = loadingKey(model)
  const entry = ({ id, ...fields }: LoadedRecord) => ['XADD', loading, String(id), ...flat(fields)]
  await sendForEach(millrace, data.checkins, entry, onReply)
  await publish(millrace, loading, checkins.key)
  await millrace.group(checkins, group).create({ from: '0' })
}

/** Gives the finished stream its name, in one step. */
async function publish(millrace: Millrace, loading: string, key: string): Promise<void> {
  if ((await millrace.send('RENAMENX', loading, key)) === 1) return
  throw new CommandError(`somebody made "${key}" meanwhile, a receiver perhaps. Stop the receivers`)
}

/** Where the stream grows until it is complete. */
export const loadingKey = ({ checkins }: CheckinModel): string => `${checkins.key}:loading`

const flat = (record: LoadedRecord): string[] =>
  Object.entries(record).flatMap(([field, value]) => [field, String(value)])
