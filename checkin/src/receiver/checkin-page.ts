/** `GET /api/checkins`: the check-ins of a time, page by page. */
import type { ResourceRoute } from './resources.ts'
import { isEntryId } from 'millrace'
import { jsonAnswer, type RouteDocumentation } from './documentation.ts'
import type { ReceiverParts } from './parts.ts'
import { plainProblem, sendProblem, type Problem } from './problem.ts'
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
      const { start, end, limit } = page
      // One more than asked for says that there is a next page.
      const count = String(limit + 1)
      const found = (await calls.run(() =>
        millrace.send('XRANGE', model.checkins.key, start, end, 'COUNT', count),
      )) as [string, string[]][]
      const shown = found.slice(0, limit)
      const last = shown.at(-1)?.[0]
      const next = found.length > limit && last !== undefined ? cursorOf(last, end) : null
      reply.header('cache-control', 'no-store')
      return { checkins: shown.map(shownCheckin), next }
    },
  }
}

interface Page {
  /** As XRANGE takes them. */
  readonly start: string
  readonly end: string
  readonly limit: number
}

function readPage(query: Record<string, unknown>): Page | Problem {
  const { from, to, limit: givenLimit, cursor } = query
  const limit = givenLimit === undefined ? limitDefault : readLimit(givenLimit)
  if (limit === undefined) return wrong('limit', `an integer from 1 to ${limitMax}`)
  if (cursor !== undefined) {
    if (from !== undefined || to !== undefined) return cursorAlone
    const place = readCursor(cursor)
    return place === undefined
      ? wrong('cursor', 'the "next" of a page, as it was')
      : { ...place, limit }
  }
  const start = from === undefined ? '-' : readTime(from)
  if (start === undefined) return wrong('from', timeAllowed)
  const end = to === undefined ? '+' : readTime(to)
  return end === undefined ? wrong('to', timeAllowed) : { start, end, limit }
}

const timeAllowed = 'a time like 2026-11-22T10:00:00Z, or milliseconds since 1970'
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** Milliseconds as text: XRANGE takes them as a whole millisecond, from its first to its last id. */
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
function cursorOf(last: string, end: string): string {
  return Buffer.from(`1 ${last} ${end}`).toString('base64url')
}

function readCursor(given: unknown): Pick<Page, 'start' | 'end'> | undefined {
  if (typeof given !== 'string' || given.length > 120) return undefined
  const [version, last = '', end = '', ...rest] = Buffer.from(given, 'base64url')
    .toString('latin1')
    .split(' ')
  const isEnd = end === '+' || /^(?:0|[1-9]\d{0,15})$/.test(end)
  if (version !== '1' || !isEntryId(last) || !isEnd || rest.length > 0) return undefined
  return { start: `(${last}`, end }
}

function wrong(name: string, allowed: string): Problem {
  return plainProblem(400, `"${name}" must be ${allowed}`)
}

const cursorAlone = plainProblem(400, '"cursor" stands for "from" and "to": give it without them')

const documentation: RouteDocumentation = {
  operationId: 'listCheckins',
  isUnstored: true,
  summary: 'The check-ins of a time, oldest first, page by page',
  description: 'What was trimmed from the stream is not shown any more.',
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
