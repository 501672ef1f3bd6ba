/** Finds which key of the engine somebody else has taken: most errors of the server do not name it. */
import { MillraceError } from '../support/errors.ts'
import { keyTypes, streamLedger, type GroupKeys } from '../redis/keys.ts'
import type { Connection } from '../redis/connection.ts'
import { scriptFailure } from './script-failure.ts'

/** A key that holds something of another type than ours. */
export interface WrongKey {
  readonly key: string
  /** As TYPE tells it: `string`, `list`, `set`, `zset`, `hash`, `stream`, or that of a module. */
  readonly holds: string
  readonly expected: string
}

/** Looks at every key of a group and at the ledger of its stream. @throws those of the connection. */
export async function wrongKeys(
  connection: Pick<Connection, 'send'>,
  keys: GroupKeys,
): Promise<WrongKey[]> {
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

/** Runs an action; where it meets a key of another type, the error names the key: the server does not. */
export async function namingKeys<Result>(
  connection: Pick<Connection, 'send'>,
  keys: GroupKeys,
  what: string,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'WRONG_TYPE') throw error
    // Without the right to TYPE the error stays as it is.
    const [wrong] = await wrongKeys(connection, keys).catch(() => [])
    if (wrong === undefined) throw error
    throw scriptFailure(what, `wrong-type ${wrong.holds} ${wrong.key}`) ?? error
  }
}
