/**
 * What connections may take. Promise: an answer that its client does not read holds nothing for longer than `unreadMs`, and
 * connections that are only kept open keep nobody out.
 */
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

export interface ConnectionLimits {
  /** Connections at once; further ones are cut. */
  readonly connectionsMax: number
  /** So long (ms) an answer may lie there without a byte of it being taken. */
  readonly unreadMs: number
}

/** As far as Node tells how much of what was written the system has taken. */
interface Handle {
  readonly bytesWritten?: number
  readonly writeQueueSize?: number
}

interface Unread {
  readonly taken: number
  readonly sinceMs: number
}

const lookEveryMs = 1000

/** To be called once for a server. */
export function limitConnections(
  app: FastifyInstance,
  { connectionsMax, unreadMs }: ConnectionLimits,
): void {
  const { server } = app
  const open = new Map<Socket, Unread | undefined>()
  server.maxConnections = connectionsMax
  server.on('connection', (socket: Socket) => {
    open.set(socket, undefined)
    socket.once('close', () => open.delete(socket))
    // Before it is full: whoever has nothing to say makes room.
    if (open.size > connectionsMax * 0.9) server.closeIdleConnections()
  })
  // Node's own timer is only looked at when it runs out, and then starts anew if anything was taken meanwhile: twice the time.
  const look = setInterval(
    () => {
      const now = performance.now()
      for (const [socket, before] of open) {
        const taken = takenOfUnread(socket)
        if (taken === undefined) {
          if (before !== undefined) open.set(socket, undefined)
        } else if (before?.taken !== taken) {
          open.set(socket, { taken, sinceMs: now })
        } else if (now - before.sinceMs >= unreadMs) {
          socket.destroy()
        }
      }
    },
    Math.min(lookEveryMs, unreadMs / 4),
  ).unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(look)
    done()
  })
}

/** How many bytes (ever) the system has taken of a connection; undefined when it has taken all. */
function takenOfUnread(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle: Handle | null }
  const { bytesWritten = 0, writeQueueSize = 0 } = handle ?? {}
  return writeQueueSize > 0 ? bytesWritten - writeQueueSize : undefined
}
