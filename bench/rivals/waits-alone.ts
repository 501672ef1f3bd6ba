import { openClient } from '../measure/client.ts'
import type { Backlog, ConsumerOptions, Loop, Program } from './rival.ts'
import { handlerOf } from './waiting.ts'

const [todoKey, doneKey] = ['waits:todo', 'waits:done']

const numberOfWaits: Backlog = {
  prepare: () => Promise.resolve(),

  async openProducer(url) {
    const client = await openClient(url)
    const add = (checkins: readonly unknown[]): Promise<unknown> =>
      client.incrBy(todoKey, checkins.length)
    return { append: add, fill: add, close: () => client.close() }
  },

  isDone: async (client) => (await client.exists(doneKey)) === 1,
}

/** The floor of handlers that wait: the same number of waits in the same number of lanes, and nothing else. */
export const waitsAlone: Program = { name: 'waits-alone', backlog: numberOfWaits, connect }

async function connect({ url, setup }: ConsumerOptions): Promise<Loop> {
  const { waitMs = 0, concurrency = 1 } = setup
  const client = await openClient(url)
  const handle = handlerOf(waitMs)
  return async () => {
    let left = Number(await client.get(todoKey))
    const lane = async (): Promise<void> => {
      while (left-- > 0) await handle()
    }
    await Promise.all(Array.from({ length: concurrency }, lane))
    await client.set(doneKey, '1')
    await new Promise<never>(() => undefined)
  }
}
