import { openClient, type Client } from '../measure/client.ts'
import { keys } from '../workload/checkins.ts'
import { readGroup } from './read-group.ts'
import type { ConsumerOptions, Loop, Program } from './rival.ts'
import { streamBacklog } from './stream-backlog.ts'

const count = 500
const readsAheadUsually = 2

/**
 * The floor: what the stream alone costs. It reads ahead, acknowledges, and changes no hash. With a concurrency of 1 it
 * does not read ahead: it reads a batch, acknowledges it, and reads the next.
 */
export const readAndAcknowledge: Program = {
  name: 'read-and-acknowledge',
  backlog: streamBacklog,
  connect,
}

async function connect({ url, name, setup }: ConsumerOptions): Promise<Loop> {
  const client = await openClient(url)
  const { concurrency = readsAheadUsually } = setup
  const readsAhead = concurrency === 1 ? 0 : concurrency
  return async () => {
    for (;;) {
      // Only a read that cannot hold up an acknowledgement behind it may block.
      await acknowledge(client, await read(client, name, 5000))
      await Promise.all(Array.from({ length: readsAhead }, () => readOn(client, name)))
    }
  }
}

/** Reads and acknowledges until there is nothing more; several of these share the connection's pipeline. */
async function readOn(client: Client, name: string): Promise<void> {
  const acknowledged: Promise<void>[] = []
  for (;;) {
    const ids = await read(client, name)
    if (ids.length === 0) break
    acknowledged.push(acknowledge(client, ids))
  }
  await Promise.all(acknowledged)
}

async function read(client: Client, name: string, blockMs?: number): Promise<string[]> {
  const options = blockMs === undefined ? { COUNT: count } : { COUNT: count, BLOCK: blockMs }
  const entries = await readGroup(client, name, options)
  return entries.map(({ id }) => id)
}

async function acknowledge(client: Client, ids: string[]): Promise<void> {
  if (ids.length > 0) await client.xAck(keys.stream, keys.group, ids)
}
