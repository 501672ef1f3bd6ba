import { openClient } from '../measure/client.ts'
import { keys } from '../workload/checkins.ts'
import { effectArguments, effectScript, timeOf } from './checkin-effect.ts'
import { readGroup } from './read-group.ts'
import type { ConsumerOptions, Loop, Program } from './rival.ts'
import { streamBacklog } from './stream-backlog.ts'
import { eachOf, handlerOf } from './waiting.ts'

const count = 500

/**
 * What a careful programmer writes with node-redis: a batch per read, its scripts pipelined, one XACK. A handler runs
 * for so many entries of the batch at a time as it is told. A crash between the scripts and the XACK applies up to a
 * batch twice.
 */
export const batchLoop: Program = { name: 'batch-loop', backlog: streamBacklog, connect }

async function connect({ url, name, setup }: ConsumerOptions): Promise<Loop> {
  const client = await openClient(url)
  const sha = await client.scriptLoad(effectScript)
  const { waitMs = 0, concurrency = 1 } = setup
  const handle = handlerOf(waitMs)
  return async () => {
    for (;;) {
      const entries = await readGroup(client, name, { COUNT: count, BLOCK: 5000 })
      if (entries.length === 0) continue
      if (waitMs > 0) await eachOf(entries, concurrency, handle)
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
