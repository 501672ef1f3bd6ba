import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Checkin } from '../workload/checkins.ts'
import { effectArguments, effectScript, type CheckinFields } from './checkin-effect.ts'
import type { Backlog, ConsumerOptions, Loop, Program } from './rival.ts'
import { handlerOf } from './waiting.ts'

const queueName = 'checkins'

interface CheckinJob extends CheckinFields {
  readonly at: number
}

/** A job per check-in, in BullMQ's own lists, removed when it is complete. */
const jobBacklog: Backlog = {
  prepare: () => Promise.resolve(),

  async openProducer(url) {
    const connection = new Redis(url, { maxRetriesPerRequest: null })
    const queue = new Queue<CheckinJob>(queueName, { connection })
    await queue.waitUntilReady()
    const append = (checkins: readonly Checkin[]): Promise<unknown> =>
      queue.addBulk(checkins.map(jobOf))
    const close = async (): Promise<void> => {
      await queue.close()
      connection.disconnect()
    }
    return { append, fill: append, close }
  },

  async isDone(client) {
    const [waiting, active] = await Promise.all([
      client.lLen(`bull:${queueName}:wait`),
      client.lLen(`bull:${queueName}:active`),
    ])
    return waiting + active === 0
  },
}

function jobOf({ at, userId, locationId, starRating }: Checkin): {
  name: string
  data: CheckinJob
  opts: { removeOnComplete: boolean }
} {
  return {
    name: 'checkin',
    data: { at, userId, locationId, starRating },
    opts: { removeOnComplete: true },
  }
}

/** BullMQ with the same effect per job. */
export const bullmq: Program = { name: 'bullmq', backlog: jobBacklog, connect }

async function connect({ url, setup }: ConsumerOptions): Promise<Loop> {
  const { waitMs = 0, concurrency = 100, leaseMs } = setup
  const effects = new Redis(url)
  const sha = String(await effects.script('LOAD', effectScript))
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const handle = handlerOf(waitMs)
  const worker = new Worker<CheckinJob>(
    queueName,
    async ({ data }) => {
      await handle()
      const effect = effectArguments(String(data.at), data)
      await effects.evalsha(sha, 2, ...effect.keys, ...effect.values)
    },
    {
      connection,
      concurrency,
      autorun: false,
      ...(leaseMs !== undefined && { lockDuration: leaseMs, stalledInterval: leaseMs / 2 }),
    },
  )
  await worker.waitUntilReady()
  return async () => worker.run()
}
