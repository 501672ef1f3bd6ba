/** What tests of a command share: one server, a key prefix for each test, and streams with a group. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { runMain, type Ended } from '../../../testing/processes.ts'
import { startRedis, type TestServer } from '../../../testing/redis-servers.ts'
import type { TestClient } from '../../../testing/test-client.ts'

const group = 'checkinConsumers'

/** Names and values of the check-in `<id>-0`. */
export const fieldsOf = (id: number): string[] => [
  ...['locationId', '5'],
  ...['userId', `${id}`],
  ...['starRating', '4'],
]

/** For use in a `describe`: the server starts before its tests and stops after them. */
export class CommandStage {
  readonly #command: string
  #server: TestServer | undefined
  #redis: TestClient | undefined

  constructor(command: string) {
    this.#command = command
    before(async () => {
      this.#server = await startRedis()
      this.#redis = await this.#server.client()
    })
    after(() => this.#server?.stop())
  }

  env(prefix: string): Record<string, string> {
    return { REDIS_URL: this.#server?.url ?? '', KEY_PREFIX: prefix }
  }

  /** Runs the command to its end. */
  readonly run = async (prefix: string, ...args: string[]): Promise<Ended> =>
    await runMain([this.#command, ...args], { env: this.env(prefix) }).exited

  /** A client of the server. */
  get redis(): TestClient {
    assert.ok(this.#redis, 'the server is started before the tests')
    return this.#redis
  }

  /** A stream with one group and the check-ins `1-0`, `2-0`, ..., of which the first ones are processed. Returns its key. */
  async fill(prefix: string, entries: number, processed = 0): Promise<string> {
    const key = `${prefix}:checkins`
    await this.redis.send('XGROUP', 'CREATE', key, group, '0', 'MKSTREAM')
    for (let id = 1; id <= entries; id += 1)
      await this.redis.send('XADD', key, `${id}-0`, ...fieldsOf(id))
    if (processed > 0) await this.deliver(key, { count: processed })
    for (let id = 1; id <= processed; id += 1) await this.redis.send('XACK', key, group, `${id}-0`)
    return key
  }

  /** Delivers so many entries, which are pending then. */
  async deliver(
    key: string,
    { count, consumer = 'ada', to = group }: { count: number; consumer?: string; to?: string },
  ): Promise<void> {
    const read = ['XREADGROUP', 'GROUP', to, consumer, 'COUNT', count, 'STREAMS', key, '>']
    await this.redis.send(...read)
  }
}
