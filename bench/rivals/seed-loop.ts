import { Redis } from 'ioredis'
import { keys } from '../workload/checkins.ts'
import { effectArguments, effectScript, timeOf, type CheckinFields } from './checkin-effect.ts'
import type { ConsumerOptions, Loop, Program } from './rival.ts'
import { streamBacklog } from './stream-backlog.ts'
import { handlerOf } from './waiting.ts'

/** The loop of the seed's group processor: one entry at a time, three round trips each. */
export const seedLoop: Program = { name: 'seed-loop', backlog: streamBacklog, connect }

type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null

async function connect({ url, name, setup }: ConsumerOptions): Promise<Loop> {
  const redis = new Redis(url)
  const sha = String(await redis.script('LOAD', effectScript))
  const handle = handlerOf(setup.waitMs ?? 0)
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
      await handle()
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
