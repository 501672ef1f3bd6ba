/** What tests of the operator's commands share: one server, and streams that redis-cli could have made. */
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { runOps, type Ended } from '../../../testing/processes.ts'
import { startRedis, type TestServer } from '../../../testing/redis-servers.ts'
import type { TestClient } from '../../../testing/test-client.ts'

/** For use in a `describe`: the server starts before its tests and stops after them. */
export class OperatorStage {
  #server: TestServer | undefined
  #redis: TestClient | undefined

  constructor() {
    before(async () => {
      this.#server = await startRedis()
      this.#redis = await this.#server.client()
    })
    after(() => this.#server?.stop())
  }

  get url(): string {
    return this.#server?.url ?? ''
  }

  get redis(): TestClient {
    assert.ok(this.#redis, 'the server is started before the tests')
    return this.#redis
  }

  /** Runs `millrace ARGS` to its end. */
  readonly run = async (...args: string[]): Promise<Ended> =>
    await runOps(args, { env: { REDIS_URL: this.url } }).exited

  /** Runs it with `--json`, and reads what it prints. */
  readonly json = async <Shown>(...args: string[]): Promise<Shown> => {
    const { stdout } = await this.run(...args, '--json')
    return JSON.parse(stdout) as Shown
  }

  /** A stream of orders `1-0`, `2-0`, ... with a group, of which a foreign consumer holds some. */
  async foreign(
    key: string,
    {
      entries = 5,
      group = 'billing',
      held = 0,
    }: { entries?: number; group?: string; held?: number },
  ): Promise<void> {
    for (let id = 1; id <= entries; id += 1)
      await this.redis.send('XADD', key, `${id}-0`, 'item', `book${id}`, 'price', `${id}`)
    await this.redis.send('XGROUP', 'CREATE', key, group, '0', 'MKSTREAM')
    if (held === 0) return
    const read = ['XREADGROUP', 'GROUP', group, 'worker-1', 'COUNT', `${held}`]
    await this.redis.send(...read, 'STREAMS', key, '>')
  }
}
