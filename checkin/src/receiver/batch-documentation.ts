import { itemSchema, resultSchema } from './batch-item.ts'
import {
  problemAnswer,
  type AnswerDocumentation,
  type RouteDocumentation,
} from './documentation.ts'
import { problemMediaType } from './problem.ts'
import { keyHeaderSchema } from './single.ts'

const counts = {
  accepted: { type: 'integer', minimum: 0 },
  rejected: { type: 'integer', minimum: 0 },
  results: { type: 'array', items: resultSchema },
}
const results = {
  type: 'object',
  required: ['accepted', 'rejected', 'results'],
  properties: counts,
  additionalProperties: false,
}
const lines = {
  description:
    'One result a line, in the order of the lines that were sent. A stream that is ended early ends with a line without ' +
    '"index": its "stoppedAt" is the index of the first line that was not looked at.',
  anyOf: [
    resultSchema,
    {
      type: 'object',
      required: ['status', 'stoppedAt', 'problem'],
      properties: {
        status: { type: 'integer' },
        stoppedAt: { type: 'integer' },
        problem: { type: 'object' },
      },
    },
  ],
}

function answer(description: string): AnswerDocumentation {
  return {
    description,
    content: {
      'application/json': { schema: results },
      'application/x-ndjson': { schema: lines },
    },
  }
}

/** A problem that may have the results of an array beside it, or that the lines of a stream tell. */
function refusal(description: string): AnswerDocumentation {
  const plain = problemAnswer(description).content?.[problemMediaType]?.schema ?? {}
  return {
    description,
    content: {
      [problemMediaType]: { schema: { allOf: [plain], properties: counts } },
      'application/x-ndjson': { schema: lines },
    },
  }
}

export const batchDocumentation: RouteDocumentation = {
  summary: 'Sends many check-ins',
  description:
    'A JSON array of up to 1,000, or a stream of any length with one check-in a line, whose results come while it is sent. ' +
    'A stream that does not announce a length of up to 1 MB is answered with 207 before its outcome is known.',
  tags: ['check-ins'],
  headers: keyHeaderSchema,
  querystring: {
    type: 'object',
    properties: {
      atomic: {
        enum: ['true', 'false'],
        default: 'false',
        description: 'true: all are recorded or none. For arrays only',
      },
    },
  },
  body: {
    content: {
      'application/json': {
        schema: { type: 'array', minItems: 1, maxItems: 1000, items: itemSchema },
      },
      'application/x-ndjson': { schema: itemSchema },
    },
  },
  response: {
    202: answer('All were recorded'),
    207: answer('Some were recorded; or the results of a stream that is still being sent'),
    408: refusal('The body, or the next line of a stream, did not arrive in time'),
    409: problemAnswer('A request with this Idempotency-Key has no answer yet'),
    422: refusal('None was recorded; `results` says why'),
    429: refusal('Too many requests, or too many check-ins wait to be processed'),
    503: refusal('The store cannot be used now, or there is too much to do'),
  },
}
