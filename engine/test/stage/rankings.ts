import type { TestClient } from '../../../testing/test-client.ts'

/** Key to member to score. */
type Rankings = Record<string, Record<string, number>>

/** All sorted sets under a prefix. */
export async function rankingsUnder(redis: TestClient, prefix: string): Promise<Rankings> {
  const keys = (await redis.send('KEYS', `${prefix}:*`)) as string[]
  const rankings: Rankings = {}
  for (const key of keys.sort()) {
    if ((await redis.send('TYPE', key)) !== 'zset') continue
    const flat = (await redis.send('ZRANGE', key, '0', '-1', 'WITHSCORES')) as string[]
    const scores: Record<string, number> = {}
    for (let at = 0; at < flat.length; at += 2) scores[flat[at] ?? ''] = Number(flat[at + 1])
    rankings[key] = scores
  }
  return rankings
}

/** What a `Reference` holds, in the same form. */
export function plainRankings(
  rankings: ReadonlyMap<string, ReadonlyMap<string, number>>,
): Rankings {
  return Object.fromEntries(
    [...rankings]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, scores]) => [key, Object.fromEntries(scores)]),
  )
}
