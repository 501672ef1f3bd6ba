/** Serves `/metrics`, `/livez` and `/readyz` of a process that serves nothing else. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CommandError } from '../command/errors.ts'
import { Metrics } from './metrics.ts'

/** Whether work should be given to a process, and in one word how it is. */
export interface Readiness {
  readonly isReady: boolean
  /** `ready`, `paused`, `starting`, `unavailable`, `closing`. */
  readonly status: string
  /** Why, where that is known; never text of others. */
  readonly reason?: string
}

export interface ServeOptions {
  /** Port 0 takes any free one. */
  readonly port: number
  readonly host: string
  readonly text: () => Promise<string>
  readonly readiness: () => Readiness | Promise<Readiness>
  /** How the two are named where they are set, for the message that they cannot be used. */
  readonly named?: { readonly port: string; readonly host: string }
}

export interface MetricsServer {
  /** Like `http://127.0.0.1:9464/metrics`. */
  readonly url: string
  close(): Promise<void>
}

/** @throws {CommandError} when host or port cannot be used. */
export async function serveMetrics(options: ServeOptions): Promise<MetricsServer> {
  const server = createServer((request, response) => void answer(request, response, options))
  await listen(server, options)
  const { address, family, port } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return {
    url: `http://${host}:${port}/metrics`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function listen(server: Server, { host, port, named }: ServeOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    const problem = problems[code]
    if (problem === undefined) throw error
    const { port: portName, host: hostName } = named ?? byDefault
    const remedy = problem.isOfPort
      ? `another port with ${portName}`
      : `another one with ${hostName}`
    const action = `Cannot serve metrics on ${host}, port ${port}`
    throw new CommandError(`${action}: ${problem.state}. Choose ${remedy}`, { cause: error })
  }
}

const byDefault = {
  port: '--metrics-port or MILLRACE_METRICS_PORT',
  host: '--metrics-host or MILLRACE_METRICS_HOST',
}

const wrongHost = { state: 'this machine has no such address', isOfPort: false }

const problems: Readonly<Record<string, { readonly state: string; readonly isOfPort: boolean }>> = {
  EADDRINUSE: { state: 'the port is in use', isOfPort: true },
  EACCES: { state: 'this user may not use the port', isOfPort: true },
  EADDRNOTAVAIL: wrongHost,
  ENOTFOUND: wrongHost,
  EAI_AGAIN: wrongHost,
  EINVAL: wrongHost,
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { text, readiness }: ServeOptions,
): Promise<void> {
  request.resume()
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    send(response, 405, 'text/plain', 'Allowed is GET\n')
    return
  }
  const [path] = (request.url ?? '').split('?')
  try {
    if (path === '/metrics') send(response, 200, Metrics.contentType, await text())
    else if (path === '/livez') sendJson(response, 200, { status: 'ok' })
    else if (path === '/readyz') {
      const { isReady, status, reason } = await readiness()
      sendJson(response, isReady ? 200 : 503, { status, reason })
    } else send(response, 404, 'text/plain', 'Here are /metrics, /livez and /readyz\n')
  } catch {
    // Why is for the log of whoever counts, not for whoever asks.
    send(response, 500, 'text/plain', 'The metrics cannot be told now\n')
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`)
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  // Of a HEAD the server sends no body.
  response.end(body)
}
