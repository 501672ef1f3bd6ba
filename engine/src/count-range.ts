import { lastPossibleId } from './entry-id.ts'
import { MillraceError } from './errors.ts'
import type { Connection } from './redis/connection.ts'
import { runScript, scripts } from './redis/scripts.ts'
import { scriptFailure } from './script-failure.ts'

// About 1 ms of the server.
const countedAtOnce = 1000

/**
 * Counts the entries between two ids (as XRANGE takes them) up to a bound, in short steps that send no entry.
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION when the user may not read the stream.
 */
export async function countRange(
  connection: Pick<Connection, 'send'>,
  stream: string,
  from: string,
  to: string,
  most: number,
): Promise<number> {
  let counted = 0
  let start = from
  while (counted < most && start !== `(${lastPossibleId}`) {
    const count = Math.min(countedAtOnce, most - counted)
    const args = [start, to, String(count)]
    const [found, lastId] = await runScript(connection, scripts.countRange, [stream], args)
    if (found === 'error') {
      const action = `Cannot count the entries of "${stream}"`
      const code = String(lastId)
      throw scriptFailure(action, code) ?? new MillraceError('REFUSED', `${action}: ${code}`)
    }
    counted += Number(found)
    if (Number(found) < count) break
    start = `(${String(lastId)}`
  }
  return counted
}
