import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Checkin } from '../../domain/checkins.ts'
import { receivedNow } from '../../domain/entry-time.ts'
import type { SecurityLog } from '../access/security-log.ts'
import { refuseBeforeBody } from '../limits/before-body.ts'
import type { PressureSource } from '../limits/overload.ts'
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
  keyHeaderSchema,
  keyInFlight,
  keyReused,
  malformedKey,
  scopedKey,
  tooManyKeys,
  type KeysInFlight,
} from './idempotency-key.ts'
import { refusalFor } from '../access/identity.ts'
import { invalidProblem, sendProblem } from '../http/problem.ts'
import { resource } from '../http/resources.ts'
import type { Recorder } from './recorder.ts'

export const checkinUrl = '/api/checkin'

export interface CheckinParts {
  readonly recorder: Recorder
  readonly keysInFlight: KeysInFlight
  readonly pressure: PressureSource
  readonly security: Pick<SecurityLog, 'anotherUser'>
}

/** `POST /api/checkin`: 202 once Redis has confirmed the append, never before. */
export function checkinRoute(app: FastifyInstance, parts: CheckinParts): void {
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
        return await recordOnce(parts, body.checkin, { request, reply, key: header.key })
      }
      return sendAccepted(reply, await parts.recorder.record(body.checkin, request.headers))
    },
  })
}

interface KeyedRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly key: string
}

/** Of all requests with one key one appends, whichever receiver they come to. */
async function recordOnce(
  { recorder, keysInFlight }: CheckinParts,
  values: Checkin,
  { request, reply, key }: KeyedRequest,
): Promise<FastifyReply> {
  const idempotencyKey = scopedKey(request.identity, key)
  const giveBack = keysInFlight.take(idempotencyKey)
  if (giveBack === undefined) return sendProblem(reply.header('retry-after', 1), keyInFlight)
  const outcome = await recorder
    .recordOnce({ values, idempotencyKey }, request.headers)
    .finally(giveBack)
  if (outcome === undefined || !('id' in outcome)) {
    return sendProblem(reply, outcome?.kind === 'keys-full' ? tooManyKeys : keyReused)
  }
  if (outcome.kind === 'replayed') reply.header('idempotent-replayed', 'true')
  return sendAccepted(reply, outcome.id)
}

function sendAccepted(reply: FastifyReply, id: string): FastifyReply {
  return reply
    .code(202)
    .header('location', locationOf(id))
    .header('content-type', acceptedMediaType)
    .send(acceptedText(id))
}

export const acceptedMediaType = 'application/json; charset=utf-8'

/** Where it is told what became of a check-in. */
export function locationOf(id: string): string {
  return `/api/checkins/${id}`
}

/** The body of a 202. Written out: an entry id and a time have nothing to escape, and this is what most requests get. */
export function acceptedText(id: string): string {
  return `{"id":"${id}","status":"accepted","receivedAt":"${receivedNow(id)}"}`
}

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
