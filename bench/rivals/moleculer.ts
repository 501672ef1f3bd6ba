import { Middleware } from '@moleculer/channels'
import { Redis } from 'ioredis'
import { ServiceBroker, type Middleware as BrokerMiddleware } from 'moleculer'
import { openClient, type Client } from '../measure/client.ts'
import { keys, type Checkin } from '../workload/checkins.ts'
import { effectArguments, effectScript, type CheckinFields } from './checkin-effect.ts'
import type { Backlog, ConsumerOptions, Loop, Program } from './rival.ts'
import { isGroupDone } from './stream-backlog.ts'
import { handlerOf } from './waiting.ts'

interface Payload extends CheckinFields {
  readonly at: number
}

/** Its entries have one field, the payload as JSON. */
const payloadBacklog: Backlog = {
  async prepare(client) {
    await client.xGroupCreate(keys.stream, keys.group, '0', { MKSTREAM: true })
  },

  async openProducer(url) {
    const client = await openClient(url)
    const append = (checkins: readonly Checkin[]): Promise<unknown> =>
      Promise.all(checkins.map((checkin) => appendPayload(client, checkin)))
    return { append, fill: append, close: () => client.close() }
  },

  isDone: (client, { lastId }) => isGroupDone(client, lastId),
}

function appendPayload(client: Client, checkin: Checkin): Promise<string | null> {
  const { id, at, userId, locationId, starRating } = checkin
  const payload: Payload = { at, userId, locationId, starRating }
  return client.xAdd(keys.stream, id, { payload: JSON.stringify(payload) })
}

/** @moleculer/channels: consumer groups on streams for the services of a Moleculer broker, one handler call per entry. */
export const moleculer: Program = { name: 'moleculer', backlog: payloadBacklog, connect }

async function connect({ url, setup }: ConsumerOptions): Promise<Loop> {
  const { waitMs = 0, concurrency = 100 } = setup
  const effects = new Redis(url)
  const sha = String(await effects.script('LOAD', effectScript))
  const handle = handlerOf(waitMs)
  // The package's types know neither each other nor the documented option `redis`.
  const options = { adapter: { type: 'Redis', options: { redis: { url } } } } as unknown
  const channels = Middleware(options as Parameters<typeof Middleware>[0]) as unknown
  const broker = new ServiceBroker({ logger: false, middlewares: [channels as BrokerMiddleware] })
  await broker.start()
  return async () => {
    // The subscription starts with the service.
    broker.createService({
      name: 'checkins',
      channels: {
        [keys.stream]: {
          group: keys.group,
          maxInFlight: concurrency,
          async handler(payload: Payload) {
            await handle()
            const effect = effectArguments(String(payload.at), payload)
            await effects.evalsha(sha, 2, ...effect.keys, ...effect.values)
          },
        },
      },
    })
    await new Promise<never>(() => undefined)
  }
}
