import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { effectArguments, effectScript, type CheckinFields } from './checkin-effect.ts'
import type { Backlog, ConsumerOptions, Loop, Rival } from './rival.ts'

const queueName = 'checkins'
const chunk = 2000
const concurrency = 100

interface CheckinJob extends CheckinFields {
  readonly at: number
}

/** A job per check-in, preloaded in BullMQ's own lists and removed when it is complete. */
const jobBacklog: Backlog = {
  async fill({ url }, checkins) {
    const connection = new Redis(url, { maxRetriesPerRequest: null })
    const queue = new Queue<CheckinJob>(queueName, { connection })
    for (let start = 0; start < checkins.length; start += chunk) {
      const jobs = checkins
        .slice(start, start + chunk)
        .map(({ at, userId, locationId, starRating }) => ({
          name: 'checkin',
          data: { at, userId, locationId, starRating },
          opts: { removeOnComplete: true },
        }))
      await queue.addBulk(jobs)
    }
    await queue.close()
    connection.disconnect()
  },

  async isDone(client) {
    const [waiting, active] = await Promise.all([
      client.lLen(`bull:${queueName}:wait`),
      client.lLen(`bull:${queueName}:active`),
    ])
    return waiting + active === 0
  },
}

/** BullMQ with the same effect per job. */
export const bullmq: Rival = {
  name: 'bullmq',
  label: `BullMQ 6 (ioredis, concurrency ${concurrency})`,
  processes: 1,
  share: 0.25,
  promise: 'at least once',
  backlog: jobBacklog,
  connect,
}

async function connect({ url }: ConsumerOptions): Promise<Loop> {
  const effects = new Redis(url)
  const sha = String(await effects.script('LOAD', effectScript))
  const connection = new Redis(url, { maxRetriesPerRequest: null })
  const worker = new Worker<CheckinJob>(
    queueName,
    async ({ data }) => {
      const effect = effectArguments(String(data.at), data)
      await effects.evalsha(sha, 2, ...effect.keys, ...effect.values)
    },
    { connection, concurrency, autorun: false },
  )
  await worker.waitUntilReady()
  return async () => worker.run()
}
