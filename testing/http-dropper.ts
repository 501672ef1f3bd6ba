/** An HTTP proxy that loses answers: the request is carried out, and the connection of its client breaks instead of an answer. */
import { createServer, request, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

export interface HttpDropper {
  readonly url: string
  /** Answers that were lost. */
  readonly dropped: number
  close(): Promise<void>
}

/** @param isLost asked for each answer. */
export async function startHttpDropper(
  target: string,
  isLost: () => boolean,
): Promise<HttpDropper> {
  const state = { dropped: 0 }
  const server: Server = createServer((incoming, outgoing) => {
    const { method, headers, url = '' } = incoming
    const options = { method, headers: { ...headers, connection: 'close' } }
    const onward = request(`${target}${url}`, options, (answer) => {
      if (isLost()) {
        state.dropped += 1
        answer.resume()
        incoming.socket.destroy()
        return
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => incoming.socket.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get dropped() {
      return state.dropped
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
