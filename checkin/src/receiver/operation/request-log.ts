/**
 * Who called what, and with which answer. Promise: one line for each request, once its answer is out or its client is gone; never headers, bodies
 * or query strings, nor the address as it came.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '../../log.ts'
import { printable } from 'millrace-ops/terminal'
import { whenOver } from '../http/answer-order.ts'
import type { RequestListener } from '../http/server.ts'
import { traceFields } from '../traces/trace-fields.ts'

/**
 * @param isWanted whatever the level of the log is; otherwise the lines are of level `debug`.
 * @returns undefined when nobody would see them.
 */
export function requestLog(log: Log, isWanted: boolean): RequestListener | undefined {
  if (!isWanted && !log.isLevelEnabled('debug')) return undefined
  const lines = isWanted ? log.child({}, { level: 'info' }) : log
  const level = isWanted ? 'info' : 'debug'
  return (request, reply) => {
    const startedAt = performance.now()
    // A socket that is closed does not tell.
    const client = request.ip
    whenOver(reply.raw, () => {
      const ms = Math.round((performance.now() - startedAt) * 10) / 10
      const fields = fieldsOf(request, reply, { client, ms })
      lines[level](fields, sentence(fields, whoOf(request)))
    })
  }
}

interface Fields {
  readonly method: string
  readonly client: string
  /** Undefined: it could not be found out. */
  readonly route: string | undefined
  /** Undefined: the client was gone before. */
  readonly status: number | undefined
  readonly ms: number
}

function fieldsOf(
  request: FastifyRequest,
  reply: FastifyReply,
  seen: Pick<Fields, 'client' | 'ms'>,
): Fields {
  const { method, id, identity, headers } = request
  return {
    ...{ requestId: id, method, route: request.routeOptions.url },
    status: reply.raw.headersSent ? reply.raw.statusCode : undefined,
    ...seen,
    ...(identity?.kind === 'key' ? { apiKey: identity.id } : {}),
    ...(identity?.kind === 'token' ? { subject: identity.subject } : {}),
    // What was sent of the answer may have reached nobody.
    ...(reply.raw.writableFinished ? {} : { isCut: true }),
    ...traceOf(headers),
  }
}

/** The trace that the client has begun. */
function traceOf(headers: FastifyRequest['headers']) {
  const fields = traceFields(headers)
  return fields && { ...fields, trace_id: fields.traceparent?.split('-')[1] }
}

function sentence({ method, route, status, client, ms }: Fields, who: string | undefined): string {
  const by = who === undefined ? '' : ` (${printable(who)})`
  return `${method} ${route ?? '?'}: ${status ?? 'no answer'} for ${printable(client)}${by} after ${ms} ms.`
}

function whoOf({ identity }: FastifyRequest): string | undefined {
  return identity?.kind === 'token' ? identity.subject : identity?.id
}
