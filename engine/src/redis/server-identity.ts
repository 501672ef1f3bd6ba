import type { Reply } from './connection.ts'
import { isLoss } from './refusals.ts'

/** The identity of a server: another one after each of its starts. Undefined where it does not tell. */
export async function serverIdAt(connection: {
  readonly send: (args: readonly string[]) => Promise<Reply>
}): Promise<string | undefined> {
  try {
    const info = String(await connection.send(['INFO', 'server']))
    return /^run_id:(\S+)/m.exec(info)?.[1]
  } catch (error) {
    if (isLoss(error)) throw error
    return undefined
  }
}
