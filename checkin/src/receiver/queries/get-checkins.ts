/** `GET /api/checkins`: the check-ins of a time, page by page. */
import type { ResourceRoute } from '../http/resources.ts'
import { isEntryId, type EntryPageOptions } from 'millrace'
import { jsonAnswer, type RouteDocumentation } from '../http/documentation.ts'
import type { ReceiverParts } from '../parts.ts'
import { plainProblem, sendProblem, type Problem } from '../http/problem.ts'
import { shownCheckin, shownCheckinSchema } from './shown-checkin.ts'

const limitMax = 1000
const limitDefault = 100

/** Oldest first. The cursor goes on exactly behind the page before, whatever is appended or trimmed meanwhile. */
export function checkinPage({ millrace, calls, model }: ReceiverParts): ResourceRoute {
  return {
    method: 'GET',
    requires: 'read-all',
    schema: documentation,
    handler: async (request, reply) => {
      const page = readPage(request.query as Record<string, unknown>)
      if ('status' in page) return sendProblem(reply, page)
      const { entries, next } = await calls.run(() => millrace.entryPage(model.checkins.key, page))
      reply.header('cache-control', 'no-store')
      return {
        checkins: entries.map(shownCheckin),
        next: next === null ? null : cursorOf(next, page.to),
      }
    },
  }
}

type Page = Pick<EntryPageOptions, 'from' | 'to' | 'after'> & { readonly count: number }

function readPage(query: Record<string, unknown>): Page | Problem {
  const { from, to, limit: givenLimit, cursor } = query
  const limit = givenLimit === undefined ? limitDefault : readLimit(givenLimit)
  if (limit === undefined) return wrong('limit', `an integer from 1 to ${limitMax}`)
  if (cursor !== undefined) {
    if (from !== undefined || to !== undefined) return cursorAlone
    const place = readCursor(cursor)
    return place === undefined
      ? wrong('cursor', 'the "next" of a page, as it was')
      : { ...place, count: limit }
  }
  const [first, last] = [readTime(from), readTime(to)]
  if (from !== undefined && first === undefined) return wrong('from', timeAllowed)
  if (to !== undefined && last === undefined) return wrong('to', timeAllowed)
  return { from: first, to: last, count: limit }
}

const timeAllowed = 'a time like 2026-11-22T10:00:00Z, or milliseconds since 1970'
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** Milliseconds as text: they stand for a whole millisecond, from its first to its last id. */
function readTime(given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined
  if (/^(?:0|[1-9]\d{0,15})$/.test(given)) return given
  const time = rfc3339.test(given) ? Date.parse(given) : NaN
  return time >= 0 ? String(time) : undefined
}

function readLimit(given: unknown): number | undefined {
  const limit = typeof given === 'string' && /^[1-9]\d{0,3}$/.test(given) ? Number(given) : NaN
  return limit <= limitMax ? limit : undefined
}

/** Opaque: what is in it may change. */
function cursorOf(last: string, to = '+'): string {
  return Buffer.from(`1 ${last} ${to}`).toString('base64url')
}

function readCursor(given: unknown): Pick<Page, 'after' | 'to'> | undefined {
  if (typeof given !== 'string' || given.length > 120) return undefined
  const [version, last = '', end = '', ...rest] = Buffer.from(given, 'base64url')
    .toString('latin1')
    .split(' ')
  const isEnd = end === '+' || /^(?:0|[1-9]\d{0,15})$/.test(end)
  if (version !== '1' || !isEntryId(last) || !isEnd || rest.length > 0) return undefined
  return { after: last, to: end === '+' ? undefined : end }
}

function wrong(name: string, allowed: string): Problem {
  return plainProblem(400, `"${name}" must be ${allowed}`)
}

const cursorAlone = plainProblem(400, '"cursor" stands for "from" and "to": give it without them')

const documentation: RouteDocumentation = {
  operationId: 'listCheckins',
  isUnstored: true,
  summary: 'The check-ins of a time, oldest first, page by page',
  description:
    'What was trimmed from the stream is not shown any more. A page ends sooner where entries hold large fields of others.',
  tags: ['check-ins'],
  querystring: {
    type: 'object',
    properties: {
      from: { type: 'string', description: `The first moment: ${timeAllowed}. Default: all` },
      to: { type: 'string', description: 'The last moment, inclusive; likewise' },
      limit: { type: 'integer', minimum: 1, maximum: limitMax, default: limitDefault },
      cursor: {
        type: 'string',
        description: 'The `next` of the page before, instead of `from` and `to`',
      },
    },
  },
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
