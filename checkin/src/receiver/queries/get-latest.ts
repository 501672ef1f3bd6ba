/** Check-ins as the stream holds them. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { jsonAnswer, type RouteDocumentation } from '../http/documentation.ts'
import { integerParameter } from '../http/parameters.ts'
import { resource } from '../http/resources.ts'
import { shownCheckin, shownCheckinSchema } from './shown-checkin.ts'
import type { Store } from './store.ts'

const query = z.object({ limit: integerParameter(1, 100).default(1) })

/** `GET /api/checkins/latest?limit=N`: the newest check-ins of the stream, newest first; without `limit` one. */
export function latestCheckinsRoute(
  app: FastifyInstance,
  { millrace, calls, model }: Store<'entryPage'>,
): void {
  resource(app, ['/api/checkins/latest'], {
    method: 'GET',
    requires: 'read-all',
    query,
    schema: latestDocumentation,
    handler: async (request) => {
      const newest = { order: 'newest', count: request.query.limit } as const
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
  response: {
    200: jsonAnswer(aboutFields, {
      type: 'object',
      required: ['checkins'],
      properties: { checkins: { type: 'array', items: shownCheckinSchema } },
      additionalProperties: false,
    }),
  },
}
