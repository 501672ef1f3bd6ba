/** Calls scripts with raw keys and arguments, for the tests of what they guard against: the one way past their typed functions. */
import type { TestContext } from 'node:test'
import type { GroupKeys } from 'millrace/operate'
import type { Reply } from '../../src/redis/connection.ts'
import { composed, runScript, script, type Script } from '../../src/scripts/run-script.ts'
import type { Bench } from '../../../testing/on-each-server.ts'
import { openConnection, urlWithRights } from './connections.ts'

export { composed, runScript, script, type Script }

/** @param roles the keys, by their role in the group or by name */
export type RunScript = (
  script: Script,
  roles: readonly string[],
  ...args: readonly (string | number)[]
) => Promise<Reply[]>

/** Runs scripts on keys of a group as somebody with some rights. @param without what the user may not do; nothing: it may do all. */
export async function scriptCalls(
  t: TestContext,
  bench: Bench,
  keys: GroupKeys,
  ...without: readonly string[]
): Promise<RunScript> {
  const rights = without.map((right) => `-${right}`)
  const connection = await openConnection(t, await urlWithRights(bench, '~*', '+@all', ...rights))
  const nameOf = (key: string): string => (keys as unknown as Record<string, string>)[key] ?? key
  return (which, roles, ...args) =>
    runScript(connection, which, roles.map(nameOf), args.map(String))
}
