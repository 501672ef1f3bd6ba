/** The orderly end of a server. Promise: what was accepted is answered; within `graceMs` and 6 s more it is closed. */
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

const sweepEveryMs = 50
const patienceMs = 5000

/** How far the life of a receiver has come. */
export class Life {
  #isClosing = false

  /** From the first wish to close on: not ready any more, and each answer ends its connection. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /**
   * @param graceMs for so long everything is served as before, so that clients and load balancers notice, and no request that
   *   is on its way meets a closed door.
   */
  async close(app: FastifyInstance, graceMs: number): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true
      if (app.server.listening && graceMs > 0) await delay(graceMs)
    }
    // A connection that was busy when the closing began is idle after its answer, and would hold the server open.
    const sweep = setInterval(() => app.server.closeIdleConnections(), sweepEveryMs)
    const hurry = setTimeout(() => app.server.closeAllConnections(), patienceMs)
    await app.close()
    clearInterval(sweep)
    clearTimeout(hurry)
  }
}
