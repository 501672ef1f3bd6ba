import { openClient } from '../client.ts'
import { keys } from '../workload.ts'
import { effectArguments, effectScript, timeOf } from './checkin-effect.ts'
import { readGroup } from './read-group.ts'
import type { ConsumerOptions, Loop, Rival } from './rival.ts'
import { streamBacklog } from './stream-backlog.ts'

const count = 500

/**
 * What a careful programmer writes with node-redis: a batch per read, its scripts pipelined, one XACK.
 * A crash between the scripts and the XACK applies up to a batch twice.
 */
export const batchLoop: Rival = {
  name: 'batch-loop',
  label: `node-redis loop (COUNT ${count}, pipelined scripts, one XACK)`,
  processes: 1,
  share: 0.5,
  promise: 'at least once',
  backlog: streamBacklog,
  connect,
}

async function connect({ url, name }: ConsumerOptions): Promise<Loop> {
  const client = await openClient(url)
  const sha = await client.scriptLoad(effectScript)
  return async () => {
    for (;;) {
      const entries = await readGroup(client, name, { COUNT: count, BLOCK: 5000 })
      if (entries.length === 0) continue
      // node-redis writes all commands of one tick in one go: this is the pipeline.
      const applied = entries.map(({ id, message }) => {
        const effect = effectArguments(timeOf(id), message)
        return client.evalSha(sha, { keys: effect.keys, arguments: effect.values })
      })
      await Promise.all(applied)
      await client.xAck(
        keys.stream,
        keys.group,
        entries.map(({ id }) => id),
      )
    }
  }
}
