/**
 * The orderly end of a server. Promise: what was accepted is answered, and a client that notices in time meets no closed door;
 * within `graceMs` and 10 s more it is closed.
 */
import { setMaxListeners } from 'node:events'
import { Server as NetServer } from 'node:net'
import type { Server } from 'node:http'
import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

const sweepEveryMs = 50
const patienceMs = 5000
/** Without a new connection for so long, none waits to be accepted. */
const quietMs = 100
/** For so long at most it waits for that, and then as long for connections to end by themselves. */
const lingerMs = 2000

/** The end of a receiver, and how far it has come. */
export class Shutdown {
  #isClosing = false
  #isLeaving = false
  readonly #closing = new AbortController()

  constructor() {
    // Each stream listens, and there may be many.
    setMaxListeners(0, this.#closing.signal)
  }

  /** From the first wish to close on: not ready any more. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Each answer ends its connection: new ones are not taken any more. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Aborts when what goes on without an end is to end. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /**
   * @param graceMs for so long everything is served as before, on connections that are kept, so that load balancers notice.
   *   A goodbye meanwhile would make each request of a proxy a new connection, and those that wait to be accepted at the end are lost.
   */
  async close(app: FastifyInstance, graceMs: number): Promise<void> {
    const { server } = app
    if (!this.#isClosing) {
      this.#isClosing = true
      if (server.listening && graceMs > 0) await this.#leave(server, graceMs)
    }
    this.#isLeaving = true
    this.#closing.abort()
    // A connection that was busy when the closing began is idle after its answer, and would hold the server open.
    const sweep = setInterval(() => server.closeIdleConnections(), sweepEveryMs)
    const hurry = setTimeout(() => server.closeAllConnections(), patienceMs)
    await app.close()
    clearInterval(sweep)
    clearTimeout(hurry)
  }

  async #leave(server: Server, graceMs: number): Promise<void> {
    await delay(graceMs)
    const mostMs = Math.min(graceMs, lingerMs)
    await untilQuiet(server, mostMs)
    this.#isLeaving = true
    this.#closing.abort()
    // Not the `close` of the HTTP server: it cuts idle connections, on which a proxy may be sending a request right now.
    const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve))
    await Promise.race([closed, delay(mostMs)])
  }
}

/** Closing the door resets what waits before it. So it is closed while nobody comes, or after `mostMs`. */
async function untilQuiet(server: Server, mostMs: number): Promise<void> {
  const since = performance.now()
  let lastAt = since
  const came = (): void => void (lastAt = performance.now())
  server.on('connection', came)
  for (let now = since; now - lastAt < quietMs && now - since < mostMs; now = performance.now()) {
    await delay(Math.min(quietMs, mostMs) / 4)
  }
  // Everything that waited was accepted right before this.
  await setImmediate()
  server.off('connection', came)
}
