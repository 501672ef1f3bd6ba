/** `GET /api/checkins`: the check-ins of a time, page by page. */
import type { ResourceRoute } from '../http/resources.ts'
import { isEntryId, type EntryPageOptions } from 'millrace/operate'
import { z } from 'zod'
import { jsonAnswer, type RouteDocumentation } from '../http/documentation.ts'
import { integerParameter, readParameter } from '../http/parameters.ts'
import { shownCheckin, shownCheckinSchema } from './shown-checkin.ts'
import type { Store } from './store.ts'

const milliseconds = /^(?:0|[1-9]\d{0,15})$/
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

const timeAllowed = 'a time like 2026-11-22T10:00:00Z, or milliseconds since 1970'
const time = readParameter(`must be ${timeAllowed}`, readTime)

const query = z
  .object({
    from: time.describe(`The first moment: ${timeAllowed}. Default: all`).optional(),
    to: time.describe('The last moment, inclusive; likewise').optional(),
    limit: integerParameter(1, 1000).default(100),
    cursor: readParameter('must be the "next" of a page, as it was', readCursor)
      .describe('The `next` of the page before, instead of `from` and `to`')
      .optional(),
  })
  .refine((given) => given.cursor === undefined || (given.from ?? given.to) === undefined, {
    path: ['cursor'],
    error: 'stands for "from" and "to": give it without them',
  })

/** Oldest first. The cursor goes on exactly behind the page before, whatever is appended or trimmed meanwhile. */
export function checkinPage({
  millrace,
  calls,
  model,
}: Store<'entryPage'>): ResourceRoute<typeof query> {
  return {
    method: 'GET',
    requires: 'read-all',
    query,
    schema: documentation,
    handler: async (request, reply) => {
      const { limit, cursor, ...times } = request.query
      const page = { ...(cursor ?? times), count: limit }
      const { entries, next } = await calls.run(() => millrace.entryPage(model.checkins.key, page))
      reply.header('cache-control', 'no-store')
      return {
        checkins: entries.map(shownCheckin),
        next: next === null ? null : cursorOf(next, page.to),
      }
    },
  }
}

/** Milliseconds as text: they stand for a whole millisecond, from its first to its last id. */
function readTime(given: string): string | undefined {
  if (milliseconds.test(given)) return given
  const time = rfc3339.test(given) ? Date.parse(given) : NaN
  return time >= 0 ? String(time) : undefined
}

/** Opaque: what is in it may change. */
function cursorOf(last: string, to = '+'): string {
  return Buffer.from(`1 ${last} ${to}`).toString('base64url')
}

function readCursor(given: string): Pick<EntryPageOptions, 'after' | 'to'> | undefined {
  if (given.length > 120) return undefined
  const [version, last = '', end = '', ...rest] = Buffer.from(given, 'base64url')
    .toString('latin1')
    .split(' ')
  const isEnd = end === '+' || milliseconds.test(end)
  if (version !== '1' || !isEntryId(last) || !isEnd || rest.length > 0) return undefined
  return { after: last, to: end === '+' ? undefined : end }
}

const documentation: RouteDocumentation = {
  operationId: 'listCheckins',
  isUnstored: true,
  summary: 'The check-ins of a time, oldest first, page by page',
  description:
    'What was trimmed from the stream is not shown any more. A page ends sooner where entries hold large fields of others.',
  tags: ['check-ins'],
  response: {
    200: jsonAnswer('`next` is the cursor of the next page, null on the last one', {
      type: 'object',
      required: ['checkins', 'next'],
      properties: {
        checkins: { type: 'array', items: shownCheckinSchema },
        next: { type: ['string', 'null'] },
      },
      additionalProperties: false,
    }),
  },
}
