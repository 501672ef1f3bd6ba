import { MillraceError } from '../support/errors.ts'
import type { Connection } from '../redis/connection.ts'
import { runScript, scripts } from './run-script.ts'
import { scriptFailure } from './script-failure.ts'

/** Where counting ends although there are more. */
export interface CountBounds {
  readonly most: number
  /** Bytes that the server reads for it, about 4 ms for a megabyte; default: any. */
  readonly bytesMost?: number
}

export interface RangeCount {
  readonly counted: number
  /** False: there may be more. */
  readonly isWhole: boolean
}

// About 1 ms of the server.
const countedAtOnce = 1000

/**
 * Counts the entries between two ids (as XRANGE takes them) up to a bound, in short steps that send no entry.
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION when the user may not read the stream.
 */
export async function countRange(
  connection: Pick<Connection, 'send'>,
  stream: string,
  [from, to]: readonly [from: string, to: string],
  { most, bytesMost = Infinity }: CountBounds,
): Promise<RangeCount> {
  let counted = 0
  let start = from
  for (let bytes = 0; counted < most && bytes < bytesMost;) {
    const args = [start, to, String(Math.min(countedAtOnce, most - counted))]
    const [found, next, read] = await runScript(connection, scripts.countRange, [stream], args)
    if (found === 'error') {
      const action = `Cannot count the entries of "${stream}"`
      const code = String(next)
      throw scriptFailure(action, code) ?? new MillraceError('REFUSED', `${action}: ${code}`)
    }
    counted += Number(found)
    bytes += Number(read)
    if (next === '') return { counted, isWhole: true }
    start = `(${String(next)}`
  }
  return { counted, isWhole: false }
}
