/** What Redis knows about pressure: the backlog of a stream and the share of its memory, in bounded time. */
import { countRange } from './count-range.ts'
import { MillraceError } from './errors.ts'
import type { Millrace } from './millrace.ts'
import type { Reply } from './redis/connection.ts'
import { asList } from './redis/scripts.ts'

export interface ServerSample {
  readonly backlog: number | null
  readonly memoryShare: number | null
}

/** @throws {MillraceError} when the server cannot be asked. */
export async function readServer(
  millrace: Pick<Millrace, 'send'>,
  stream: string,
): Promise<ServerSample> {
  const [backlog, memoryShare] = await Promise.all([
    backlogOf(millrace, stream),
    memoryShareOf(millrace),
  ])
  return { backlog, memoryShare }
}

/** Undelivered and pending entries of the group that has most of them. */
async function backlogOf(millrace: Pick<Millrace, 'send'>, stream: string): Promise<number | null> {
  const reply = await unlessRefused(() =>
    Promise.all([millrace.send('XINFO', 'GROUPS', stream), millrace.send('XLEN', stream)]),
  )
  if (reply === 'missing') return 0
  if (reply === 'refused') return null
  const [groups, length] = reply
  let most = 0
  for (const group of asList(groups)) {
    const undelivered = await undeliveredOf(millrace, stream, asList(group), Number(length))
    most = Math.max(most, undelivered + Number(valueOf(group, 'pending')))
  }
  return most
}

// Where the server cannot tell; more would take long every second.
const countedMost = 10_000

async function undeliveredOf(
  millrace: Pick<Millrace, 'send'>,
  stream: string,
  group: Reply[],
  length: number,
): Promise<number> {
  const lag = valueOf(group, 'lag')
  // What others trimmed before it was delivered stays in Redis' lag for ever.
  if (typeof lag === 'number') return Math.min(lag, length)
  const from = `(${String(valueOf(group, 'last-delivered-id'))}`
  const connection = { send: (args: readonly string[]) => millrace.send(...args) }
  return await countRange(connection, stream, from, '+', Math.min(length, countedMost))
}

/** Null when the server has no limit. */
async function memoryShareOf(millrace: Pick<Millrace, 'send'>): Promise<number | null> {
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

/** The value after a name in a flat list of both; a group may be named like one of them. */
function valueOf(flat: Reply, name: string): Reply {
  const list = asList(flat)
  return list[list.findIndex((item, at) => at % 2 === 0 && item === name) + 1] ?? null
}
