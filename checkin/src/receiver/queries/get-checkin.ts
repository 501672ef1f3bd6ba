/** `GET /api/checkins/:id`: what became of a check-in. */
import type { FastifyInstance } from 'fastify'
import type { Group } from 'millrace'
import { isEntryId, type EntryState } from 'millrace/operate'
import { z } from 'zod'
import {
  entryIdSchema,
  jsonAnswer,
  problemAnswers,
  type RouteDocumentation,
} from '../http/documentation.ts'
import { onlyUserOf } from '../access/identity.ts'
import { readParameter } from '../http/parameters.ts'
import { plainProblem, sendProblem } from '../http/problem.ts'
import { resource } from '../http/resources.ts'
import { isAhead, timeOfId } from '../../domain/entry-time.ts'
import { shownCheckin } from './shown-checkin.ts'
import type { Store } from './store.ts'

export interface StatusParts extends Store<'entryPage'> {
  /** It processes the check-ins: it knows what became of each. */
  readonly group: Pick<Group, 'entryState'>
}

const path = z.object({
  id: readParameter(
    'must be that of a check-in, like 1764000000123-0',
    (text) => (isEntryId(text) ? text : undefined),
    entryIdSchema,
  ),
})

export function statusRoute(app: FastifyInstance, parts: StatusParts): void {
  const { group, calls } = parts
  resource(app, ['/api/checkins/:id'], {
    method: 'GET',
    requires: 'read',
    path,
    schema: documentation,
    handler: async (request, reply) => {
      const { id } = request.params
      const state = await calls.run(() => group.entryState(id))
      if (state.kind === 'unknown') return sendProblem(reply, unknownId)
      const user = onlyUserOf(request)
      // Whether there is one of somebody else is not told.
      if (user !== undefined && !(await isOf(user, id, state, parts))) {
        return sendProblem(reply, unknownId)
      }
      reply.header('cache-control', 'no-store')
      // Only the id could tell, and it lies.
      const receivedAt = isAhead(id) ? {} : { receivedAt: timeOfId(id) }
      return { id, ...shownState(state), ...receivedAt }
    },
  })
}

/** True when the check-in is of this user, and when it lies before all that is kept: that says nothing of anybody. */
async function isOf(
  user: string,
  id: string,
  state: EntryState,
  { millrace, calls, model }: Store<'entryPage'>,
): Promise<boolean> {
  if (state.kind === 'trimmed') return true
  if (state.kind === 'dead') {
    return state.letter.fields.some(([name, value]) => name === 'userId' && value === user)
  }
  const page = { from: id, to: id, count: 1 }
  const { entries } = await calls.run(() => millrace.entryPage(model.checkins.key, page))
  const [entry] = entries
  return entry !== undefined && String(shownCheckin(entry).userId) === user
}

function shownState(state: EntryState): Record<string, unknown> {
  switch (state.kind) {
    case 'pending': {
      const { consumer, deliveries, idleMs } = state
      return { status: 'pending', consumer, deliveries, idleMs }
    }
    case 'dead': {
      // Not its text: a handler may have put anything into it.
      const { reason, time } = state.letter
      return { status: 'dead', reason, ...(time > 0 ? { diedAt: timeOfId(`${time}-0`) } : {}) }
    }
    case 'waiting':
    case 'applied':
    case 'acknowledged':
    case 'trimmed':
    case 'unknown':
      return { status: state.kind }
  }
}

const unknownId = plainProblem(404, 'There is no check-in with this id')

const states = ['waiting', 'pending', 'applied', 'dead', 'acknowledged', 'trimmed']

const documentation: RouteDocumentation = {
  operationId: 'getCheckin',
  isUnstored: true,
  summary: 'What became of a check-in',
  description:
    'A token sees those of its own user, unless it has the scope `read-all`. `waiting`: not delivered to a processor yet. `pending`: a processor has it. `applied`: it counts. `dead`: it could not be ' +
    'processed; `reason` says why. `trimmed`: its id lies before the oldest check-in that is kept; what is removed was ' +
    'processed before. `acknowledged`: processed, and there are too many dead letters to say whether it is one of them.',
  tags: ['check-ins'],
  response: {
    200: jsonAnswer('Where it stands now', {
      type: 'object',
      required: ['id', 'status'],
      properties: {
        id: entryIdSchema,
        status: { enum: states },
        receivedAt: {
          type: 'string',
          format: 'date-time',
          description: 'Missing where the time in the id lies in the future',
        },
        consumer: { type: 'string', description: 'pending: who has it' },
        deliveries: { type: 'integer', description: 'pending: how often it was delivered' },
        idleMs: { type: 'integer', description: 'pending: milliseconds since then' },
        reason: {
          type: 'string',
          description: 'dead: undecodable, refused, handler, lost or unknown',
        },
        diedAt: { type: 'string', format: 'date-time' },
      },
      additionalProperties: false,
    }),
    ...problemAnswers({ 404: 'There is no check-in with this id' }),
  },
}
