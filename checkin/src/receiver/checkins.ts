import type { FastifyInstance } from 'fastify'
import { checkinSchema, readCheckin } from './checkin-body.ts'
import {
  entryIdSchema,
  jsonAnswer,
  problemAnswers,
  type RouteDocumentation,
} from './documentation.ts'
import { refusalFor } from './identity.ts'
import { numberOr } from './numbers.ts'
import { refuseUnderPressure } from './overload.ts'
import type { ReceiverParts } from './parts.ts'
import { invalidProblem, plainProblem, sendProblem } from './problem.ts'
import { refuseEarly, resource } from './resources.ts'
import { traceFields } from './trace.ts'

const latestMax = 100

/** `POST /api/checkin`: 202 once Redis has confirmed the append, never before. */
export function checkinRoute(app: FastifyInstance, parts: ReceiverParts): void {
  const { millrace, calls, model, refusals, pressure, metrics } = parts
  resource(app, ['/api/checkin'], {
    method: 'POST',
    requires: 'ingest',
    schema: checkinDocumentation,
    onRequest: (request, reply, done) => {
      const encoding = request.headers['content-encoding']
      if (encoding !== undefined && encoding !== 'identity') {
        refuseEarly(request, reply, encodedBody)
      } else if (!refuseUnderPressure(pressure, request, reply)) {
        done()
      }
    },
    handler: async (request, reply) => {
      const body = readCheckin(request.body)
      if (body.kind === 'invalid') {
        return sendProblem(reply, invalidProblem('Check-in is not valid', body.errors))
      }
      const refusal = refusalFor(request, body.checkin.userId)
      if (refusal !== undefined) return sendProblem(reply, refusal)
      const extra = traceFields(request.headers)
      const options = extra === undefined ? undefined : { extra }
      const id = await calls.run(() => millrace.append(model.checkins, body.checkin, options))
      refusals.served()
      metrics.ingested('accepted')
      return reply.code(202).send({ id })
    },
  })
}

const checkinDocumentation: RouteDocumentation = {
  summary: 'Sends a check-in',
  description: 'Answered once the store has confirmed it. Fields beyond the three are ignored.',
  tags: ['check-ins'],
  body: checkinSchema,
  response: {
    202: jsonAnswer('Taken; `id` is that of its entry in the stream', {
      type: 'object',
      required: ['id'],
      properties: { id: entryIdSchema },
      additionalProperties: false,
    }),
    ...problemAnswers({ 422: 'Fields are missing or wrong; `errors` names each' }),
  },
}
const encodedBody = plainProblem(415, 'The body must come as it is, without Content-Encoding')

/** `GET /api/checkins/latest?limit=N`: the newest check-ins of the stream, newest first; without `limit` one. */
export function latestCheckinsRoute(app: FastifyInstance, parts: ReceiverParts): void {
  const { millrace, calls, model } = parts
  resource(app, ['/api/checkins/latest'], {
    method: 'GET',
    requires: 'read',
    schema: latestDocumentation,
    handler: async (request, reply) => {
      const { limit = '1' } = request.query as { limit?: unknown }
      if (typeof limit !== 'string' || !/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > latestMax) {
        return sendProblem(reply, wrongLimit)
      }
      const entries = await calls.run(() =>
        millrace.send('XREVRANGE', model.checkins.key, '+', '-', 'COUNT', limit),
      )
      return { checkins: (entries as [string, string[]][]).map(shownCheckin) }
    },
  })
}

const shown = { type: ['integer', 'string', 'null'] }
const latestDocumentation: RouteDocumentation = {
  summary: 'The newest check-ins, newest first',
  tags: ['check-ins'],
  querystring: {
    type: 'object',
    properties: { limit: { type: 'integer', minimum: 1, maximum: latestMax, default: 1 } },
  },
  response: {
    200: jsonAnswer('A field that somebody appended otherwise is a text, a missing one null', {
      type: 'object',
      required: ['checkins'],
      properties: {
        checkins: {
          type: 'array',
          items: {
            type: 'object',
            required: ['id', 'userId', 'locationId', 'starRating'],
            properties: { id: entryIdSchema, userId: shown, locationId: shown, starRating: shown },
            additionalProperties: false,
          },
        },
      },
      additionalProperties: false,
    }),
  },
}
const wrongLimit = plainProblem(400, `"limit" must be an integer from 1 to ${latestMax}`)

interface ShownCheckin {
  readonly id: string
  readonly userId: Shown
  readonly locationId: Shown
  readonly starRating: Shown
}

/** The number, the text where somebody appended something else, or null where the field is missing. */
type Shown = number | string | null

/** Only the three fields: an entry of somebody else may hold ten thousand more. */
function shownCheckin([id, flat]: [string, string[]]): ShownCheckin {
  const shown = (name: string): Shown => {
    for (let at = 0; at + 1 < flat.length; at += 2) {
      if (flat[at] === name) return numberOr(flat[at + 1])
    }
    return null
  }
  return {
    id,
    userId: shown('userId'),
    locationId: shown('locationId'),
    starRating: shown('starRating'),
  }
}
