/**
 * The console as a plugin of Fastify: a page that shows streams, groups and entries as they are, and the data behind it.
 * Promise: looking changes nothing in Redis; whoever is not of this machine is refused.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Millrace } from 'millrace'
import type { Log } from '../command/log.ts'
import { plainWords, noKnowledge, type Service } from '../service.ts'
import { Snapshots } from '../snapshot/index.ts'
import { version } from '../version.ts'
import { addDataRoutes } from './data/data-routes.ts'
import { addEventsRoute } from './live/events-route.ts'
import { answerTo } from './failures.ts'
import { Fields } from './data/fields.ts'
import { securityHeaders } from './headers.ts'
import { Live } from './live/live.ts'
import { readPage, type PageFile } from './page-files.ts'
import { pages } from './pages.ts'
import { lettersAt, type Parts } from './parts.ts'
import { whyNot } from './who-may.ts'

export interface ConsoleOptions {
  /** The server that it shows. It stays open when the console closes. */
  readonly millrace: Millrace
  /** Whom it works for: words and knowledge of a service; default: any stream. */
  readonly service?: Pick<Service, 'program' | 'words' | 'knowledge'> & Partial<Service>
  /** Keys of streams; default: those that the server has. */
  readonly streams?: readonly string[]
  /** The badge at the top, like `production`; default none. */
  readonly environment?: string
  /** Names of fields of entries whose values nobody is shown; default none. */
  readonly masked?: readonly string[]
  /** Told of failures that nobody expected; default: stderr. */
  readonly log?: Pick<Log, 'error'>
  /** Time from one look at the server to the next while somebody looks, in milliseconds; default 1,000. */
  readonly everyMs?: number
}

const stderr: Pick<Log, 'error'> = { error: (text) => void process.stderr.write(`${text}\n`) }

/**
 * `app.register(consolePage, { prefix: '/console', millrace })`. Answers only this machine, also where the server listens to others.
 * @throws {Error} at registration when the page was not built.
 */
export function consolePage(
  app: FastifyInstance,
  options: ConsoleOptions,
  done: (error?: Error) => void,
): void {
  const { log = stderr } = options
  const parts = partsOf(options)
  const files = readPage(app.prefix)
  app.addHook('onRequest', (request, reply, next) => {
    void reply.headers(securityHeaders)
    const { headers, socket, url } = request
    const isData = url.slice(app.prefix.length).startsWith('/api/')
    const why = whyNot({ remoteAddress: socket.remoteAddress, headers, isData })
    if (why === undefined) next()
    else void reply.code(403).send({ code: 'FORBIDDEN', message: why })
  })
  app.setErrorHandler((error, _request, reply) => {
    const { status, failure } = answerTo(error, log)
    void reply.code(status).send(failure)
  })
  for (const path of pages) app.get(path, (request, reply) => send(files.page, request, reply))
  app.get<{ Params: { name: string } }>('/assets/:name', (request, reply) => {
    const file = files.assets.get(request.params.name)
    if (file === undefined) return notFound(reply)
    // Its name changes with what is in it.
    void reply.header('cache-control', 'public, max-age=31536000, immutable')
    return send(file, request, reply)
  })
  app.get('/api/*', (_request, reply) => notFound(reply))
  app.get('/*', (request, reply) => send(files.page, request, reply.code(404)))
  addDataRoutes(app, parts)
  const endAll = addEventsRoute(app, parts)
  app.addHook('preClose', (closed) => {
    endAll()
    parts.live.stop()
    closed()
  })
  done()
}

function partsOf(options: ConsoleOptions): Parts {
  const { millrace, environment = null, masked = [], streams, everyMs } = options
  const service: Service = {
    program: 'npx millrace',
    words: plainWords,
    knowledge: noKnowledge,
    connect: () => Promise.resolve(millrace),
    openLog: () => ({ ...stderr, debug: ignore, info: ignore, warn: ignore }),
    ...options.service,
  }
  const looks = {
    ...(streams !== undefined && { streams }),
    ...(everyMs !== undefined && { everyMs }),
  }
  const { program } = service
  return {
    ...{ millrace, service },
    about: { version, environment, url: millrace.url, program, masked },
    live: new Live(new Snapshots(millrace, looks)),
    fields: new Fields(masked),
    lettersOf: lettersAt(millrace),
  }
}

const ignore = (): void => undefined

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ code: 'NOT_FOUND', message: 'There is nothing at this address.' })
}

function send(file: PageFile, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  void reply.type(file.type).header('vary', 'accept-encoding')
  if (!/\bgzip\b/.test(headers['accept-encoding'] ?? '')) return reply.send(file.plain)
  return reply.header('content-encoding', 'gzip').send(file.gzipped)
}
