import { numberOr } from './numbers.ts'
import type { Store } from './store.ts'

/** Field to value; counters as numbers, and only the fields that the hash has. */
export type DescribedHash = Readonly<Record<string, string | number | null>>

const counters: ReadonlySet<string> = new Set(['numCheckins', 'numStars', 'averageStars'])

/** Reads some fields of many hashes, pipelined as one bounded call; an empty object for a hash that has none of them. */
export async function describeHashes(
  { millrace, calls }: Pick<Store<'send'>, 'millrace' | 'calls'>,
  keys: readonly string[],
  fields: readonly string[],
): Promise<DescribedHash[]> {
  const replies = await calls.run(() =>
    Promise.all(keys.map((key) => millrace.send('HMGET', key, ...fields))),
  )
  return replies.map((values) => described(fields, values as (string | null)[]))
}

function described(fields: readonly string[], values: readonly (string | null)[]): DescribedHash {
  const pairs = fields.flatMap((field, at): [string, string | number | null][] => {
    const value = values[at] ?? undefined
    if (value === undefined) return []
    return [[field, counters.has(field) ? numberOr(value) : value]]
  })
  return Object.fromEntries(pairs)
}
