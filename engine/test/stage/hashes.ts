import type { TestClient } from '../../../testing/test-client.ts'

/** All hashes under a prefix, as plain objects, without ledgers. */
export async function hashesUnder(
  redis: TestClient,
  prefix: string,
): Promise<Record<string, Record<string, string>>> {
  const keys = (await redis.send('KEYS', `${prefix}:*`)) as string[]
  const hashes: Record<string, Record<string, string>> = {}
  for (const key of keys.sort()) {
    if (key.endsWith(':ledger')) continue
    if ((await redis.send('TYPE', key)) === 'hash') hashes[key] = await hashOf(redis, key)
  }
  return hashes
}

/** One hash as a plain object. */
async function hashOf(redis: TestClient, key: string): Promise<Record<string, string>> {
  const flat = (await redis.send('HGETALL', key)) as string[]
  const hash: Record<string, string> = {}
  for (let at = 0; at < flat.length; at += 2) hash[flat[at] ?? ''] = flat[at + 1] ?? ''
  return hash
}

/** What a `Reference` holds, in the same form. */
export function plainHashes(
  hashes: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Record<string, Record<string, string>> {
  return Object.fromEntries(
    [...hashes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, hash]) => [key, Object.fromEntries(hash)]),
  )
}

/** Hashes by the rest of their keys, without those of the engine. */
export function withoutPrefix<Value>(
  prefix: string,
  hashes: Record<string, Value>,
): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(hashes)
      .filter(([key]) => !key.endsWith(':ledger') && !key.includes(':g:'))
      .map(([key, hash]) => [key.slice(prefix.length), hash]),
  )
}
