/** The console beside the service of `npm start`. Promise: that it cannot be had ends nothing. */
import type { Millrace } from 'millrace'
import type { Service } from 'millrace-ops'
import { isFree } from '../embedded/choose-port.ts'

export interface ConsoleParts {
  readonly millrace: Millrace
  /** The service as its operator's commands see it. */
  readonly service: Service
  /** Told why it cannot be had. */
  readonly say: (line: string) => void
}

export interface OpenConsole {
  /** Where it is, like `http://127.0.0.1:8090/`. */
  readonly url: string
  close(): Promise<void>
}

const host = '127.0.0.1'
const usualPort = 8090

/** Opens it at port 8090, or at a free one when that is in use. @returns undefined when it cannot be had. */
export async function openConsole({
  millrace,
  service,
  say,
}: ConsoleParts): Promise<OpenConsole | undefined> {
  try {
    const [{ fastify }, { consolePage }] = await Promise.all([
      import('fastify'),
      import('millrace-ops/console'),
    ])
    const app = fastify({ forceCloseConnections: true })
    await app.register(consolePage, { millrace, service, log: { error: say } })
    const port = (await isFree(usualPort, host)) ? usualPort : 0
    const url = await app.listen({ host, port })
    return { url: `${url}/`, close: () => app.close() }
  } catch (error) {
    say(`The console cannot be had: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
