/** A console on a server of its own, with streams to look at: what its tests share. */
import { after, before } from 'node:test'
import { fastify, type FastifyInstance } from 'fastify'
import { connect, integer, stream, text, type Millrace } from 'millrace'
import { startRedis, type TestServer } from '../../../testing/redis-servers.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { consolePage, type ConsoleOptions } from '../../src/console/console.ts'

export const orders = stream('shop:orders', { item: text(), price: integer() })

/** Texts that act on whatever takes them for more than texts. */
export const hostile = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'

type Given = Partial<ConsoleOptions>

export class ConsoleStage {
  readonly #given: Given
  /** Addresses of all routes, as they were registered. */
  readonly routes: { readonly method: string; readonly url: string }[] = []
  #server: TestServer | undefined
  #redis: TestClient | undefined
  #millrace: Millrace | undefined
  #app: FastifyInstance | undefined
  #url = ''
  #filled: Promise<void> | undefined

  /** For use in a `describe`: all starts before its tests and stops after them. */
  constructor(given: Given = {}, user?: readonly string[]) {
    this.#given = given
    before(async () => {
      this.#server = await startRedis()
      this.#redis = await this.#server.client()
      const { url } = this.#server
      if (user !== undefined) await this.#redis.send('ACL', 'SETUSER', ...user)
      const login = user === undefined ? '' : `${user[0] ?? ''}:secret@`
      this.#millrace = await connect({ url: url.replace('redis://', `redis://${login}`) })
      await this.listen(0)
    })
    after(async () => {
      await this.#app?.close()
      await this.#millrace?.close()
      await this.#server?.stop()
    })
  }

  /** Where the console answers, without a slash at its end. */
  get url(): string {
    return this.#url
  }

  get server(): TestServer {
    return there(this.#server)
  }

  get redis(): TestClient {
    return there(this.#redis)
  }

  get millrace(): Millrace {
    return there(this.#millrace)
  }

  /** Starts the console. */
  async listen(port: number): Promise<void> {
    const app = fastify({ forceCloseConnections: true })
    app.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) this.routes.push({ method: one, url })
    })
    const given = { everyMs: 250, ...this.#given }
    await app.register(consolePage, { millrace: this.millrace, ...given })
    this.#url = await app.listen({ host: '127.0.0.1', port })
    this.#app = app
  }

  async close(): Promise<void> {
    await this.#app?.close()
  }

  /** Fills the server, once: what there is to see. */
  fill(): Promise<void> {
    this.#filled ??= furnish(this.server.url, this.redis)
    return this.#filled
  }

  /** Asks `path` of the console, by node's own `fetch`. */
  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return await fetch(`${this.#url}${path}`, { headers })
  }

  async json<Answer>(path: string): Promise<Answer> {
    return (await (await this.get(path)).json()) as Answer
  }
}

function there<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw new Error('It is started before the tests')
  return thing
}

/**
 * A group that works (`billing`, whose consumer fails at what is hostile), one of others (`mailer`) that holds entries, ten
 * orders of which one is hostile, and a stream whose only entry has the largest id.
 */
async function furnish(url: string, redis: TestClient): Promise<void> {
  const millrace = await connect({ url })
  const billing = millrace.group(orders, 'billing')
  await billing.create()
  await redis.send('XGROUP', 'CREATE', orders.key, 'mailer', '0')
  for (let at = 0; at < 10; at += 1) {
    const item = at === 4 ? hostile : `book ${at}`
    await millrace.append(orders, { item, price: 9007199254740991 - at })
  }
  const read = ['XREADGROUP', 'GROUP', 'mailer', hostile, 'COUNT', '4', 'STREAMS', orders.key, '>']
  await redis.send(...read)
  const last = '18446744073709551615'
  await redis.send('XADD', 'big', `${last}-${last}`, 'large', '9007199254740993')
  const handler = ({ values }: { readonly values: { readonly item: string } }): void => {
    if (values.item === hostile) throw new Error(`loyalty API answered 503 to ${hostile}`)
  }
  await billing.consumer('desk', { attemptsMax: 1, handler, drain: true }).run()
  await millrace.close()
}
