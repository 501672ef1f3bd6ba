/** Finds which key of the engine somebody else has taken: most errors of the server do not name it. */
import { keyTypes, streamLedger, type GroupKeys } from './keys.ts'
import type { Connection } from './redis/connection.ts'

/** A key that holds something of another type than ours. */
export interface WrongKey {
  readonly key: string
  /** As TYPE tells it: `string`, `list`, `set`, `zset`, `hash`, `stream`, or that of a module. */
  readonly holds: string
  readonly expected: string
}

/** Looks at every key of a group and at the ledger of its stream. @throws those of the connection. */
export async function wrongKeys(connection: Connection, keys: GroupKeys): Promise<WrongKey[]> {
  const expected: [key: string, type: string][] = [[streamLedger(keys.stream), 'hash']]
  for (const name of Object.keys(keyTypes) as (keyof GroupKeys)[]) {
    expected.push([keys[name], keyTypes[name]])
  }
  const held = await Promise.all(
    expected.map(async ([key, type]) => {
      return { key, holds: String(await connection.send(['TYPE', key])), expected: type }
    }),
  )
  return held.filter(({ holds, expected: type }) => holds !== type && holds !== 'none')
}
