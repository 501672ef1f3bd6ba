import { createClient } from 'redis'

/** A reply in the shapes of RESP 2: HGETALL is a flat list. */
export type RawReply = string | number | null | RawReply[]

/** Looks at a server without the engine. */
export interface TestClient {
  /** Sends one command. @throws {Error} with the server's error. */
  send(...args: (string | number)[]): Promise<RawReply>
  /** `HGETALL` as an object; empty when the key does not exist. */
  hash(key: string): Promise<Record<string, string>>
  close(): void
}

/** Connects to a server on the loopback; a broken connection is not repaired. */
export async function connectClient(port: number): Promise<TestClient> {
  const client = createClient({
    RESP: 2,
    socket: { host: '127.0.0.1', port, reconnectStrategy: false },
    // No timeout: a test may freeze the server. The types leave `undefined` out, which the client takes for "none".
    commandOptions: { timeout: undefined as unknown as number },
  })
  // Every command in flight is rejected with the same error; an unhandled event would end the test process.
  client.on('error', () => undefined)
  await client.connect()
  const send = (...args: (string | number)[]): Promise<RawReply> =>
    client.sendCommand<RawReply>(args.map(String))
  return {
    send,
    hash: async (key) => pairs(await send('HGETALL', key)),
    close: () => {
      if (client.isOpen) client.destroy()
    },
  }
}

function pairs(reply: RawReply): Record<string, string> {
  if (!Array.isArray(reply)) throw new TypeError(`Not a list of pairs: ${JSON.stringify(reply)}`)
  const entries: [string, string][] = []
  for (let index = 0; index + 1 < reply.length; index += 2) {
    entries.push([String(reply[index]), String(reply[index + 1])])
  }
  return Object.fromEntries(entries)
}
