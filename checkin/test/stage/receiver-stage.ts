/**
 * A receiver in this process, on a real Redis, for the tests of receiver and generator. Every answer that `post` and `get`
 * return is held against the OpenAPI document.
 */
import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { connect } from 'millrace'
import { pino } from 'pino'
import { startRedis, type StartOptions, type TestServer } from '../../../testing/redis-servers.ts'
import { startProxy, type Proxy } from '../../../testing/tcp-proxy.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { checkinModel } from '../../src/domain/checkins.ts'
import type { Log } from '../../src/log.ts'
import { createReceiver, type Receiver, type ReceiverOptions } from '../../src/receiver/receiver.ts'
import { Contract, type ApiDocument } from './contract.ts'

export interface Stage {
  readonly server: TestServer
  /** Between receiver and server; it does nothing until a test asks for a fault. */
  readonly proxy: Proxy
  /** Looks at the server past proxy and receiver. */
  readonly redis: TestClient
  readonly receiver: Receiver
  /** Like `http://127.0.0.1:40123`. */
  readonly url: string
  /** The messages of the receiver's log. */
  readonly lines: readonly string[]
  /** Its lines with all their fields. */
  readonly logged: readonly Logged[]
  /** Posts a body as it is; an object as JSON. */
  readonly post: (body: unknown, headers?: Record<string, string>) => Promise<Answer>
  readonly get: (path: string, init?: RequestInit) => Promise<Answer>
  /** The OpenAPI document that every answer is held against. */
  readonly contract: Contract
  /** The entries of the stream, oldest first. */
  readonly entries: () => Promise<[id: string, fields: string[]][]>
  /** Another receiver on the same server; it is closed with the test, too. */
  readonly another: () => Receiver
  /** How many appends the receiver has asked the engine for. */
  readonly appendsBegun: () => number
}

/** A line of the log; `level` as pino numbers it: 30 is `info`. */
export type Logged = Readonly<Record<string, unknown>> & {
  readonly msg: string
  readonly level: number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; undefined when it is no JSON. */
  readonly json: Json | undefined
}

/** What the receiver's answers may hold. */
interface Json {
  readonly id?: string
  readonly type?: string
  readonly status?: number | string
  readonly detail?: string
  readonly errors?: readonly { readonly pointer: string }[]
}

export const valid = { userId: 7, locationId: 171, starRating: 4 }

/** Starts server, proxy and receiver; all end with the test. */
export async function receiverStage(
  t: TestContext,
  options: Pick<
    ReceiverOptions,
    | 'access'
    | 'accessLog'
    | 'bounds'
    | 'connectionsMax'
    | 'graceMs'
    | 'idempotency'
    | 'pressure'
    | 'replicas'
    | 'streams'
    | 'timeouts'
  > & {
    readonly redis?: StartOptions
    /** Default: info. At `debug`, all requests go through the framework. */
    readonly logLevel?: string
  } = {},
): Promise<Stage> {
  const server = await startRedis(options.redis)
  const proxy = await startProxy(server.port)
  const { log, lines, logged } = collectingLog(options.logLevel)
  const millrace = await connect({ url: proxy.url })
  let appendsBegun = 0
  const counting: ReceiverOptions['millrace'] = {
    appendBatch: (...args) => {
      appendsBegun += 1
      return millrace.appendBatch(...args)
    },
    append: (...args) => {
      appendsBegun += 1
      return millrace.append(...args)
    },
    entryPage: (...args) => millrace.entryPage(...args),
    rankingPage: (...args) => millrace.rankingPage(...args),
    send: (...args) => millrace.send(...args),
    checkWritable: (...args) => millrace.checkWritable(...args),
    get isConnected() {
      return millrace.isConnected
    },
    get refusal() {
      return millrace.refusal
    },
    get reconnects() {
      return millrace.reconnects
    },
  }
  const model = checkinModel('ncc')
  const group = millrace.group(model.checkins, 'checkinConsumers')
  const receivers: Receiver[] = []
  const another = (): Receiver => {
    const more = createReceiver({ ...options, millrace: counting, model, group, log })
    receivers.push(more)
    return more
  }
  const receiver = another()
  const url = await receiver.listen({ host: '127.0.0.1', port: 0 })
  t.after(async () => {
    server.resume()
    await Promise.all(receivers.map((each) => each.close()))
    await millrace.close()
    await proxy.close()
    await server.stop()
  })
  const redis = await server.client()
  const openApi = await request(`${url}/openapi.json`)
  const contract = new Contract(openApi.json as unknown as ApiDocument)
  const checked = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const answer = await request(`${url}${path}`, init)
    contract.check(init.method ?? 'GET', path, answer)
    return answer
  }
  return {
    server,
    proxy,
    redis,
    receiver,
    another,
    url,
    lines,
    logged,
    post: (body, headers = { 'content-type': 'application/json' }) =>
      checked('/api/checkin', {
        method: 'POST',
        headers,
        body: isRaw(body) ? body : JSON.stringify(body),
      }),
    get: checked,
    contract,
    entries: async () => (await redis.send('XRANGE', 'ncc:checkins', '-', '+')) as never,
    appendsBegun: () => appendsBegun,
  }
}

/** A log whose messages a test can read. */
export function collectingLog(level = 'info'): { log: Log; lines: string[]; logged: Logged[] } {
  const lines: string[] = []
  const logged: Logged[] = []
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      const line = JSON.parse(chunk.toString()) as Logged
      logged.push(line)
      lines.push(line.msg)
      done()
    },
  })
  return { log: pino({ level }, destination), lines, logged }
}

/** Sends a request and reads its answer to the end. */
export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parsed(text) }
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array
}

function parsed(text: string): Answer['json'] {
  try {
    return JSON.parse(text) as Answer['json']
  } catch {
    return undefined
  }
}
