/** A client that sends bytes as they are, for what no HTTP client sends. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { within } from '../../../testing/wait-for.ts'

/** Opens a connection to a receiver; it may be reset, which is no error. */
export async function openSocket({ url }: { readonly url: string }): Promise<Socket> {
  const options = { port: Number(new URL(url).port), host: '127.0.0.1', noDelay: true }
  const socket = connect({ ...options, allowHalfOpen: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** All that comes back until the receiver closes the connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
  // Its end has come; ours is to follow.
  socket.on('end', () => socket.end())
  // Not `once`: it rejects on a reset, which is a way to close a connection.
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await within(closed, { what: 'the receiver to close the connection' })
  return answer
}

/** Sends bytes and returns everything that comes back until the receiver closes the connection. */
export async function exchange(stage: { readonly url: string }, bytes: string): Promise<string> {
  const socket = await openSocket(stage)
  socket.write(bytes, 'latin1')
  return await untilClosed(socket)
}

/** What came back, answer by answer. */
export function answersIn(text: string): { readonly status: number; readonly text: string }[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter((answer) => answer !== '')
    .map((answer) => ({ status: Number(answer.slice(9, 12)), text: answer }))
}
