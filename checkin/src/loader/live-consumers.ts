import { MillraceError, type Millrace } from 'millrace'
import type { ConsumerDescription } from 'millrace/operate'
import type { CheckinModel } from '../domain/checkins.ts'
import { takeStream } from 'millrace-ops/snapshot'

/** A consumer of another library counts as alive for so long after its last read. */
const recentMs = 15_000
const groupCommands = new Set(['xreadgroup', 'xack', 'xclaim', 'xautoclaim'])

interface Client {
  readonly name: string
  readonly db: string
  /** The command that it sent last, or that it waits in. */
  readonly command: string
}

/**
 * Names those who work on the stream now: consumers of its groups, and the single processor.
 *
 * Ours are known by their connections, `millrace:<name>`: a consumer's idle time is no sign of life, since on Redis
 * 7.0 it grows while the consumer waits at an empty stream, and it is small after a consumer has just ended. Consumers
 * of other libraries count when they read within 15 s and a connection that works with groups is still open.
 * @throws {MillraceError} WRONG_TYPE when the key is no stream.
 */
export async function liveConsumers(millrace: Millrace, model: CheckinModel): Promise<string[]> {
  const consumers = await consumersOf(millrace, model)
  const clients = await clientsOf(millrace)
  const ours = new Set(clients?.map(({ name }) => name))
  const mayBeForeign =
    clients?.some(({ name, command }) => !isOurs(name) && groupCommands.has(command)) ?? true
  const live = consumers
    .filter(
      ({ name, idleMs }) => ours.has(`millrace:${name}`) || (mayBeForeign && idleMs < recentMs),
    )
    .map(({ name }) => name)
  // Without a position it has done nothing yet, and starts with whatever is loaded.
  const isStarted = (await millrace.send('EXISTS', model.positionKey)) === 1
  if (isStarted && ours.has(`millrace:${model.readerName}`)) live.push(model.readerName)
  return [...new Set(live)]
}

async function consumersOf(
  millrace: Millrace,
  { checkins }: CheckinModel,
): Promise<readonly ConsumerDescription[]> {
  try {
    const { groups } = await takeStream(millrace, checkins.key)
    // Whom the server knows; names that are only paused do not work.
    return groups.flatMap(({ consumers }) => consumers.filter(({ state }) => state !== 'absent'))
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'NO_STREAM') return []
    throw error
  }
}

const isOurs = (name: string): boolean => name === 'millrace' || name.startsWith('millrace:')

/** The connections to our database; undefined when our user may not see them, or the service shows none. */
async function clientsOf(millrace: Millrace): Promise<Client[] | undefined> {
  try {
    const [own, all] = await Promise.all([
      millrace.send('CLIENT', 'INFO'),
      millrace.send('CLIENT', 'LIST'),
    ])
    const { db, name } = client(String(own))
    // Where a server takes no names, none can be looked for.
    if (name === '') return undefined
    const lines = String(all).split('\n')
    return lines.map(client).filter((other) => other.db === db)
  } catch (error) {
    const code = error instanceof MillraceError ? error.code : undefined
    if (code === 'AUTHENTICATION' || code === 'REFUSED') return undefined
    throw error
  }
}

/** Reads a line of CLIENT LIST: `id=3 addr=127.0.0.1:5000 ... name=millrace:consumer1 ... db=0 ... cmd=xreadgroup ...`. */
function client(line: string): Client {
  const value = (name: string): string => new RegExp(` ${name}=(\\S*)`).exec(line)?.[1] ?? ''
  return { name: value('name'), db: value('db'), command: value('cmd').split('|')[0] ?? '' }
}
