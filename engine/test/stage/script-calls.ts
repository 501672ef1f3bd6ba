/** Runs a script on keys of a group as somebody with some rights, for the tests of what scripts guard against. */
import type { TestContext } from 'node:test'
import type { GroupKeys } from 'millrace'
import type { Reply } from '../../src/redis/connection.ts'
import { runScript, type Script } from '../../src/scripts/run-script.ts'
import type { Bench } from '../../../testing/on-each-server.ts'
import { openConnection, urlWithRights } from './guard-stage.ts'

/** @param place the keys, by their role in the group or by name */
export type RunScript = (
  script: Script,
  place: readonly string[],
  ...args: readonly (string | number)[]
) => Promise<Reply[]>

/** @param without what the user may not do; nothing: it may do all. */
export async function scriptCalls(
  t: TestContext,
  bench: Bench,
  keys: GroupKeys,
  ...without: readonly string[]
): Promise<RunScript> {
  const rights = without.map((right) => `-${right}`)
  const connection = await openConnection(t, await urlWithRights(bench, '~*', '+@all', ...rights))
  const nameOf = (key: string): string => (keys as unknown as Record<string, string>)[key] ?? key
  return (script, place, ...args) =>
    runScript(connection, script, place.map(nameOf), args.map(String))
}
