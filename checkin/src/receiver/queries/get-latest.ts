/** Check-ins as the stream holds them. */
import type { FastifyInstance } from 'fastify'
import { jsonAnswer, type RouteDocumentation } from '../http/documentation.ts'
import type { ReceiverParts } from '../parts.ts'
import { plainProblem, sendProblem } from '../http/problem.ts'
import { resource } from '../http/resources.ts'
import { shownCheckin, shownCheckinSchema } from './shown-checkin.ts'

const latestMax = 100

/** `GET /api/checkins/latest?limit=N`: the newest check-ins of the stream, newest first; without `limit` one. */
export function latestCheckinsRoute(app: FastifyInstance, parts: ReceiverParts): void {
  const { millrace, calls, model } = parts
  resource(app, ['/api/checkins/latest'], {
    method: 'GET',
    requires: 'read-all',
    schema: latestDocumentation,
    handler: async (request, reply) => {
      const { limit = '1' } = request.query as { limit?: unknown }
      if (typeof limit !== 'string' || !/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > latestMax) {
        return sendProblem(reply, wrongLimit)
      }
      const newest = { order: 'newest', count: Number(limit) } as const
      const { entries } = await calls.run(() => millrace.entryPage(model.checkins.key, newest))
      return { checkins: entries.map(shownCheckin) }
    },
  })
}

const aboutFields = 'A field that somebody appended otherwise is a text, a missing one null'
const latestDocumentation: RouteDocumentation = {
  operationId: 'listLatestCheckins',
  summary: 'The newest check-ins, newest first',
  tags: ['check-ins'],
  querystring: {
    type: 'object',
    properties: { limit: { type: 'integer', minimum: 1, maximum: latestMax, default: 1 } },
  },
  response: {
    200: jsonAnswer(aboutFields, {
      type: 'object',
      required: ['checkins'],
      properties: { checkins: { type: 'array', items: shownCheckinSchema } },
      additionalProperties: false,
    }),
  },
}
const wrongLimit = plainProblem(400, `"limit" must be an integer from 1 to ${latestMax}`)
