import type { Client } from './client.ts'
import { inChunks, keys, type Hashes } from '../workload/checkins.ts'

const differencesShown = 3
const hashesAtOnce = 10_000

/**
 * Compares what a rival left in Redis with the reference: every hash, every field, string for string.
 * A rival may keep fields of its own beside them, but no hash of a user or location that never checked in.
 * @throws {Error} naming the first differences, when there are any.
 */
export async function checkHashes(client: Client, expected: Hashes): Promise<void> {
  const differences = [...(await strangers(client, expected)), ...(await wrong(client, expected))]
  if (differences.length === 0) return
  const shown = differences.slice(0, differencesShown).join('; ')
  throw new Error(`Wrong result in ${differences.length} places: ${shown}`)
}

async function strangers(client: Client, expected: Hashes): Promise<string[]> {
  const found = await Promise.all([client.keys('ncc:users:*'), client.keys('ncc:locations:*')])
  return found
    .flat()
    .filter((key) => !expected.has(key))
    .map((key) => `${key} is there, but nobody checked in`)
}

async function wrong(client: Client, expected: Hashes): Promise<string[]> {
  const differences: string[] = []
  // A million replies at once would not fit into memory.
  for (const chunk of inChunks(expected, hashesAtOnce)) {
    const compared = chunk.map(async ([key, fields]) => {
      const actual: Record<string, string | undefined> = await client.hGetAll(key)
      return Object.entries(fields)
        .filter(([field, value]) => actual[field] !== value)
        .map(([field, value]) => `${key} ${field} is ${actual[field] ?? 'missing'}, not ${value}`)
    })
    differences.push(...(await Promise.all(compared)).flat())
  }
  return differences
}

/** By the counts of the users' check-ins: how many are missing in Redis, and how many too many there are. */
export async function countCheckins(
  client: Client,
  expected: Hashes,
): Promise<{ missing: number; twice: number }> {
  const users = [...expected].filter(([key]) => key.startsWith(keys.user(0).slice(0, -1)))
  const counts = users.map(async ([key, fields]) => {
    const actual = Number((await client.hGet(key, 'numCheckins')) ?? 0)
    return actual - Number(fields.numCheckins)
  })
  const differences = await Promise.all(counts)
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
  return {
    missing: sum(differences.filter((difference) => difference < 0).map(Math.abs)),
    twice: sum(differences.filter((difference) => difference > 0)),
  }
}
