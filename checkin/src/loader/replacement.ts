/**
 * Replaces everything that check-ins are made of. Promise: whenever it ends in the middle, the stream is not there, so
 * no processor works on half of the data; loading again is the whole repair.
 */
import { groupKeys, MillraceError, streamLedger, type Millrace } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { CommandError } from '../errors.ts'
import { sendForEach } from './batches.ts'
import type { LoadedData } from './data-folder.ts'
import type { LoadedRecord } from './records.ts'

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
      `Cannot finish the load: ${error.message}. What was there is removed, and processors ` +
        'refuse to run until a load is complete. Load again',
      { cause: error },
    )
  }
}

async function remove(millrace: Millrace, model: CheckinModel): Promise<Removed> {
  const { checkins, positionKey, userKey, locationKey } = model
  const count = await millrace.send('XLEN', checkins.key)
  // The stream goes first and comes back last: without it nothing works on the hashes.
  await millrace.send('UNLINK', checkins.key)
  await millrace.send('UNLINK', positionKey, loadingKey(model))
  const deadLetters = await removeDeadLetters(millrace, checkins.key)
  await removeLedgers(millrace, checkins.key)
  return {
    checkins: Number(count),
    users: await removeHashes(millrace, userKey('')),
    locations: await removeHashes(millrace, locationKey('')),
    deadLetters,
  }
}

/** Removes the hashes whose key is the prefix and an id, and nothing else below the prefix. */
async function removeHashes(millrace: Millrace, prefix: string): Promise<number> {
  let removed = 0
  for await (const keys of scan(millrace, 'hash', `${prefix}*`)) {
    const own = keys.filter((key) => /^[0-9]+$/.test(key.slice(prefix.length)))
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
  for await (const keys of scan(millrace, 'hash', groupKeys(streamKey, '*').ledger)) {
    if (keys.length > 0) await millrace.send('UNLINK', ...keys)
  }
}

async function* scan(
  millrace: Millrace,
  type: 'hash' | 'stream',
  pattern: string,
): AsyncGenerator<string[]> {
  let cursor = '0'
  do {
    const page = ['MATCH', pattern, 'COUNT', '1000', 'TYPE', type]
    const reply = await millrace.send('SCAN', cursor, ...page)
    const [next, keys] = Array.isArray(reply) ? reply : []
    yield Array.isArray(keys) ? keys.map(String) : []
    cursor = String(next)
  } while (cursor !== '0')
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
  const loading = loadingKey(model)
  const entry = ({ id, ...fields }: LoadedRecord) => ['XADD', loading, String(id), ...flat(fields)]
  await sendForEach(millrace, data.checkins, entry, onReply)
  if (data.checkins.length > 0) await publish(millrace, loading, checkins.key)
  await millrace.group(checkins, group).create({ from: '0' })
}

/** Gives the finished stream its name, in one step. */
async function publish(millrace: Millrace, loading: string, key: string): Promise<void> {
  if ((await millrace.send('RENAMENX', loading, key)) === 1) return
  throw new CommandError(`somebody made "${key}" meanwhile, a receiver perhaps. Stop the receivers`)
}

/** Where the stream grows until it is complete. */
const loadingKey = ({ checkins }: CheckinModel): string => `${checkins.key}:loading`

const flat = (record: LoadedRecord): string[] =>
  Object.entries(record).flatMap(([field, value]) => [field, String(value)])
