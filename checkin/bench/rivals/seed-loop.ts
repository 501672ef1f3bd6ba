import { Redis } from 'ioredis'
import { keys } from '../workload.ts'
import { effectArguments, effectScript, timeOf, type CheckinFields } from './checkin-effect.ts'
import type { ConsumerOptions, Loop, Rival } from './rival.ts'
import { streamBacklog } from './stream-backlog.ts'

/** The loop of the seed's group processor: one entry at a time, three round trips each. */
export const seedLoops: readonly Rival[] = [1, 4].map((processes) => ({
  name: `seed-loop-${processes}`,
  label: 'seed loop (ioredis, COUNT 1, script, XACK)',
  processes,
  share: processes === 1 ? 0.1 : 0.2,
  promise: 'at least once',
  backlog: streamBacklog,
  connect,
}))

type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null

async function connect({ url, name }: ConsumerOptions): Promise<Loop> {
  const redis = new Redis(url)
  const sha = String(await redis.script('LOAD', effectScript))
  return async () => {
    for (;;) {
      const reply = (await redis.xreadgroup(
        'GROUP',
        keys.group,
        name,
        'COUNT',
        1,
        'BLOCK',
        5000,
        'STREAMS',
        keys.stream,
        '>',
      )) as Reply
      const entry = reply?.[0]?.[1][0]
      if (entry === undefined) continue
      const [id, fields] = entry
      const effect = effectArguments(timeOf(id), asObject(fields))
      await redis.evalsha(sha, 2, ...effect.keys, ...effect.values)
      await redis.xack(keys.stream, keys.group, id)
    }
  }
}

function asObject(flat: readonly string[]): CheckinFields {
  const object: Record<string, string> = {}
  for (let index = 0; index < flat.length; index += 2) object[flat[index]!] = flat[index + 1]!
  return object as unknown as CheckinFields
}
