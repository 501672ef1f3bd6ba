import type { Client } from '../measure/client.ts'
import { keys } from '../workload/checkins.ts'
import type { CheckinFields } from './checkin-effect.ts'

export interface StreamEntry {
  readonly id: string
  readonly message: CheckinFields
}

/** Reads new entries of the check-ins with node-redis, whose own type of the reply is `any`. Empty: there are none. */
export async function readGroup(
  client: Client,
  consumer: string,
  options: { COUNT: number; BLOCK?: number },
): Promise<readonly StreamEntry[]> {
  const reply = (await client.xReadGroup(
    keys.group,
    consumer,
    { key: keys.stream, id: '>' },
    options,
  )) as { messages: StreamEntry[] }[] | null
  return reply?.[0]?.messages ?? []
}
