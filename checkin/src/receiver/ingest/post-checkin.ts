import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Checkin } from '../../domain/checkins.ts'
import { refuseBeforeBody } from '../limits/before-body.ts'
import { readCheckin } from './checkin-body.ts'
import {
  entryIdSchema,
  jsonAnswer,
  named,
  problemAnswers,
  type RouteDocumentation,
} from '../http/documentation.ts'
import {
  keyHeader,
  keyInFlight,
  keyLengthMax,
  keyReused,
  malformedKey,
  scopedKey,
  tooManyKeys,
} from './idempotency-key.ts'
import { refusalFor } from '../access/identity.ts'
import type { ReceiverParts } from '../parts.ts'
import { invalidProblem, sendProblem } from '../http/problem.ts'
import { resource } from '../http/resources.ts'
import { receivedNow } from '../queries/shown-checkin.ts'
import { traceFields } from '../http/trace.ts'

export const checkinUrl = '/api/checkin'

/** `POST /api/checkin`: 202 once Redis has confirmed the append, never before. */
export function checkinRoute(app: FastifyInstance, parts: ReceiverParts): void {
  resource(app, [checkinUrl], {
    method: 'POST',
    requires: 'ingest',
    schema: checkinDocumentation,
    onRequest: refuseBeforeBody(parts),
    handler: async (request, reply) => {
      const header = keyHeader(request.headers)
      if (header.kind === 'malformed') return sendProblem(reply, malformedKey)
      const body = readCheckin(request.body)
      if (body.kind === 'invalid') {
        return sendProblem(reply, invalidProblem('Check-in is not valid', body.errors))
      }
      const refusal = refusalFor(request, body.checkin.userId)
      if (refusal !== undefined) {
        parts.security.anotherUser(request)
        return sendProblem(reply, refusal)
      }
      if (header.kind === 'key') {
        return await appendOnce(parts, body.checkin, { request, reply, key: header.key })
      }
      return sendAccepted(reply, await appendPlain(parts, body.checkin, request.headers))
    },
  })
}

/** Appends a check-in that has no key. @returns the id of its entry, once the append is confirmed. @throws as `append`. */
export async function appendPlain(
  { millrace, calls, model, refusals, metrics, replicas }: ReceiverParts,
  checkin: Checkin,
  headers: IncomingHttpHeaders,
): Promise<string> {
  const options = { extra: traceFields(headers), replicas }
  const id = await calls.run(() => millrace.append(model.checkins, checkin, options))
  refusals.served()
  metrics.ingested('accepted')
  return id
}

interface KeyedRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly key: string
}

/** Of all requests with one key one appends, whichever receiver they come to. */
async function appendOnce(
  parts: ReceiverParts,
  values: Checkin,
  { request, reply, key }: KeyedRequest,
): Promise<FastifyReply> {
  const { millrace, calls, model, refusals, metrics, keysInFlight, replicas } = parts
  const idempotencyKey = scopedKey(request.identity, key)
  const giveBack = keysInFlight.take(idempotencyKey)
  if (giveBack === undefined) return sendProblem(reply.header('retry-after', 1), keyInFlight)
  const options = { ...parts.idempotency, replicas, extra: traceFields(request.headers) }
  const [outcome] = await calls
    .run(() => millrace.appendBatch(model.checkins, [{ values, idempotencyKey }], options))
    .finally(giveBack)
  if (outcome === undefined || !('id' in outcome)) {
    return sendProblem(reply, outcome?.kind === 'keys-full' ? tooManyKeys : keyReused)
  }
  refusals.served()
  metrics.ingested(outcome.kind === 'replayed' ? 'replayed' : 'accepted')
  if (outcome.kind === 'replayed') reply.header('idempotent-replayed', 'true')
  return sendAccepted(reply, outcome.id)
}

function sendAccepted(reply: FastifyReply, id: string): FastifyReply {
  return reply
    .code(202)
    .header('location', `/api/checkins/${id}`)
    .header('content-type', 'application/json; charset=utf-8')
    .send(acceptedText(id))
}

/** The body of a 202. Written out: an entry id and a time have nothing to escape, and this is what most requests get. */
export function acceptedText(id: string): string {
  return `{"id":"${id}","status":"accepted","receivedAt":"${receivedNow(id)}"}`
}

/** The header `Idempotency-Key`, for the documentation. */
export const keyHeaderSchema = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      minLength: 1,
      maxLength: keyLengthMax,
      description:
        'Sent again with the same key and the same content, a check-in is recorded once and the answer is the same.',
    },
  },
} as const

const checkinDocumentation: RouteDocumentation = {
  operationId: 'createCheckin',
  summary: 'Sends a check-in',
  description:
    'Answered once the store has confirmed it. Fields beyond the three are ignored. `Location` tells what became of it.',
  tags: ['check-ins'],
  headers: keyHeaderSchema,
  body: named('Checkin'),
  response: {
    202: jsonAnswer(
      'Taken; `id` is that of its entry in the stream',
      {
        type: 'object',
        required: ['id', 'status', 'receivedAt'],
        properties: {
          id: entryIdSchema,
          status: { const: 'accepted' },
          receivedAt: { type: 'string', format: 'date-time' },
        },
        additionalProperties: false,
      },
      {
        Location: { type: 'string', description: 'Where its state is told' },
        'Idempotent-Replayed': {
          type: 'string',
          description: '`true`: it was recorded by an earlier request with this key',
        },
      },
    ),
    ...problemAnswers({
      409: 'A request with this Idempotency-Key has no answer yet',
      422: 'Fields are missing or wrong, `errors` names each; or the key was used for another check-in',
    }),
  },
}
