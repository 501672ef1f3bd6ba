/** What Redis knows about pressure: the backlog of a stream and the share of its memory, in bounded time. */
import { MillraceError } from '../support/errors.ts'
import type { Reply } from '../redis/connection.ts'
import { readBacklogs, undeliveredOf } from '../scripts/reading.ts'

export interface ServerSample {
  readonly backlog: number | null
  readonly memoryShare: number | null
}

/** What a `Millrace` sends commands by. */
export interface Sender {
  send(...args: readonly string[]): Promise<Reply>
}

/** @throws {MillraceError} when the server cannot be asked. */
export async function readServer(millrace: Sender, stream: string): Promise<ServerSample> {
  const [backlog, memoryShare] = await Promise.all([
    backlogOf(millrace, stream),
    memoryShareOf(millrace),
  ])
  return { backlog, memoryShare }
}

/** Undelivered and pending entries of the group that has most of them. */
async function backlogOf(millrace: Sender, stream: string): Promise<number | null> {
  const connection = { send: (args: readonly string[]) => millrace.send(...args) }
  const reply = await unlessRefused(() => readBacklogs(connection, stream))
  if (reply === 'missing') return 0
  if (reply === 'refused') return null
  const counts = await Promise.all(
    reply.groups.map(async (group) => {
      const { known, least } = await undeliveredOf(connection, stream, reply, group)
      return (known ?? least) + group.pending
    }),
  )
  return Math.max(0, ...counts)
}

/** Null when the server has no limit. */
async function memoryShareOf(millrace: Sender): Promise<number | null> {
  const info = await unlessRefused(() => millrace.send('INFO', 'memory'))
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(String(info))?.[1] ?? 0)
  const limit = read('maxmemory')
  return limit > 0 ? read('used_memory') / limit : null
}

/** What will not change by asking again is no failure: there is no such stream, or the server does not tell, or not this user. */
async function unlessRefused<Value>(
  ask: () => Promise<Value>,
): Promise<Value | 'missing' | 'refused'> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    if (error.code === 'NO_STREAM') return 'missing'
    if (['WRONG_TYPE', 'AUTHENTICATION', 'REFUSED'].includes(error.code)) return 'refused'
    throw error
  }
}
