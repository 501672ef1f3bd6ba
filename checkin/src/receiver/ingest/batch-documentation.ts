import {
  jsonAnswer,
  named,
  problemAnswer,
  problemAnswers,
  type AnswerDocumentation,
  type JsonSchema,
  type RouteDocumentation,
} from '../http/documentation.ts'
import { problemMediaType } from '../http/problem.ts'
import { itemSchema, resultSchema } from './batch-item.ts'
import { checkinSchema } from './checkin-body.ts'
import { keyHeaderSchema } from './idempotency-key.ts'

const counts = {
  accepted: { type: 'integer', minimum: 0 },
  rejected: { type: 'integer', minimum: 0 },
  results: { type: 'array', items: named('ItemResult') },
}
const results = {
  type: 'object',
  required: ['accepted', 'rejected', 'results'],
  properties: counts,
  additionalProperties: false,
}

/** A problem that may have the results of an array beside it. */
function refusedArray(description: string): AnswerDocumentation {
  const schema = { allOf: [named('Problem')], properties: counts }
  return { description, content: { [problemMediaType]: { schema } } }
}

const inFlight = problemAnswers({ 409: 'A request with this Idempotency-Key has no answer yet' })

/** So many check-ins an array may have. */
export const itemsMax = 1000

export const batchDocumentation: RouteDocumentation = {
  operationId: 'createCheckins',
  summary: 'Sends many check-ins',
  description:
    `A JSON array of up to ${itemsMax}. ` +
    '(Lines, `application/x-ndjson`, are taken here, too, and answered as by `streamCheckins`.)',
  tags: ['check-ins'],
  headers: keyHeaderSchema,
  body: { type: 'array', minItems: 1, maxItems: itemsMax, items: named('CheckinItem') },
  response: {
    202: jsonAnswer('All were recorded', results),
    207: jsonAnswer('Some were recorded', results),
    ...inFlight,
    422: refusedArray('None was recorded; `results` says why'),
    503: refusedArray('The store cannot be used now, or there is too much to do'),
  },
}

/** The last line of a stream that is ended early. */
const streamEndSchema = {
  type: 'object',
  description:
    'The last line of an answer to a stream that was ended early. Nothing from "stoppedAt" on was recorded.',
  required: ['status', 'stoppedAt', 'problem'],
  properties: {
    status: { type: 'integer' },
    stoppedAt: {
      type: 'integer',
      minimum: 0,
      description: 'Index of the first line that was not looked at',
    },
    problem: { type: 'object' },
  },
  additionalProperties: false,
}

/** By the names that the document has them under. */
export const ingestSchemas = {
  Checkin: checkinSchema,
  CheckinItem: itemSchema,
  ItemResult: resultSchema,
  StreamEnd: streamEndSchema,
}

const ndjsonMediaType = 'application/x-ndjson'

/** A text whose lines are JSON; `contentSchema` is that of a line. */
function lines(
  description: string,
  contentSchema: JsonSchema,
): NonNullable<AnswerDocumentation['content']> {
  const schema = { type: 'string', description, contentMediaType: ndjsonMediaType, contentSchema }
  return { [ndjsonMediaType]: { schema } }
}

const resultLines = lines('One result a line, in the order of the lines that were sent', {
  anyOf: [named('ItemResult'), named('StreamEnd')],
})

/** A problem, or lines that tell it. */
function refusedStream(description: string): AnswerDocumentation {
  return { description, content: { ...problemAnswer(description).content, ...resultLines } }
}

export const streamDocumentation: RouteDocumentation = {
  operationId: 'streamCheckins',
  summary: 'Sends any number of check-ins, one a line',
  description:
    'The results come while the lines are sent: read them while you send. A stream that does not announce a length of up ' +
    'to 1 MB is answered with 207 before its outcome is known.',
  tags: ['check-ins'],
  headers: keyHeaderSchema,
  body: { content: lines('One check-in a line, of up to 16 KB', named('CheckinItem')) },
  response: {
    202: { description: 'All were recorded', content: resultLines },
    207: {
      description: 'Some were recorded; or the stream is still being sent',
      content: resultLines,
    },
    408: refusedStream('The next line did not arrive in time'),
    ...inFlight,
    422: refusedStream('None was recorded; the lines say why'),
    429: refusedStream('Too many requests, or too many check-ins wait to be processed'),
    500: refusedStream('Something is wrong in the receiver or the store'),
    503: refusedStream('The store cannot be used now, or there is too much to do'),
  },
}
